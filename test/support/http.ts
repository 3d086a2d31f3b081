import { connect, type Socket } from 'node:net';

/** What came over a connection, as it came. */
export interface Wire {
  readonly socket: Socket;
  /** All bytes so far. */
  text(): string;
  /** Settles when what came contains this; rejects where the connection ends before. */
  has(part: string): Promise<string>;
  /** Settles when the connection is over: with the error, if it was one ('ECONNRESET'). */
  readonly closed: Promise<string | undefined>;
}

/** A connection to a server on this machine, for requests that no HTTP client would write. */
export async function wire(url: string, ...parts: string[]): Promise<Wire> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let text = '';
  let error: string | undefined;
  let over = false;
  const heard = new Set<() => void>();
  const tell = () => {
    for (const f of heard) f();
  };
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
    tell();
  });
  socket.on('error', ({ code }: NodeJS.ErrnoException) => {
    error = code;
  });
  const closed = new Promise<string | undefined>((resolve) =>
    socket.on('close', () => {
      over = true;
      resolve(error);
      tell();
    }),
  );
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  for (const part of parts) socket.write(part);
  const has = (part: string) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        if (text.includes(part)) resolve(text);
        else if (over) reject(new Error(`the connection ended (${error}) before '${part}':\n${text}`));
        else return;
        heard.delete(look);
      };
      heard.add(look);
      look();
    });
  return { socket, text: () => text, has, closed };
}

/** A request as text. */
export const request = (
  method: string,
  path: string,
  headers: Readonly<Record<string, string | number>> = {},
  body = '',
): string => {
  const all = {
    host: 'localhost',
    ...(body ? { 'content-length': Buffer.byteLength(body) } : {}),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
};
