import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';

/** Where to listen, and what one client may take. Times in seconds. */
export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  /** Connections at once; more are closed unanswered. */
  readonly maxConnections: number;
  /** Bytes of a request's headers. */
  readonly maxHeader: number;
  /** From the first byte to the end of the headers, and to the end of the request. */
  readonly headerTimeout: number;
  readonly requestTimeout: number;
  /** How long an idle connection is kept. */
  readonly keepAlive: number;
  /** How long to wait for answers that are owed when the server stops; what is left is cut. */
  readonly grace: number;
}

export const serverDefaults = {
  ...{ maxConnections: 1024, maxHeader: 16 * 1024, headerTimeout: 10, requestTimeout: 60 },
  ...{ keepAlive: 60, grace: 10 },
};

/** A connection on which nothing has moved for this long after a request had to be there is closed, in ms. */
const SLOWEST = 120_000;
/** After a stop, a connection on which nothing is under way may still bring the request that is on its way, for this long in ms. */
const LINGER = 250;
/** How long connections that come at the moment of the stop are still taken, at most, in ms. */
const LATEST = 1000;

/**
 * An HTTP server that ends well: after stop() it takes no connection, answers every request whose headers have come, says
 * `connection: close` on each answer, and closes connections on which nothing is asked.
 */
export class HttpServer {
  /** Settles when the server has ended, with the number of requests that were cut at the end of the grace time. */
  readonly ended: Promise<number>;
  private readonly server: Server;
  private readonly address: AddressInfo;
  private readonly grace: number;
  /** Every connection, with the answers that it waits for in order. */
  private readonly connections = new Map<Socket, Set<ServerResponse>>();
  private idle: ReadonlySet<Socket> = new Set();
  /** Connections so far. */
  private taken = 0;
  private asked = false;
  private stopping = false;
  private cut = 0;

  private constructor(server: Server, grace: number) {
    this.server = server;
    this.grace = grace;
    // Kept, since a server that has ended has none.
    this.address = server.address() as AddressInfo;
    this.ended = new Promise((resolve) => server.once('close', () => resolve(this.cut)));
    server.on('connection', (socket) => this.connected(socket));
    server.on('clientError', refuse);
    // Something the system refuses while it runs (no more file descriptors) costs a connection, not the server.
    server.on('error', () => {});
  }

  /** Listens. Rejects with the system's error where it can't. */
  static async listen(
    fetch: (request: Request) => Response | Promise<Response>,
    options: ServerOptions,
  ): Promise<HttpServer> {
    const { host, port, maxConnections, maxHeader, keepAlive, grace } = options;
    const requestTimeout = options.requestTimeout * 1000;
    const answer = getRequestListener(fetch, {
      // For clients that name none, as HTTP/1.0 allows.
      hostname: 'localhost',
      errorHandler: (error) =>
        Response.json({ error: (error as Error).message, code: 'bad_request' }, { status: 400 }),
      // What a refused body still brings is read and dropped here, as long as it takes.
      autoCleanupIncoming: false,
    });
    const server = createServer({
      ...{ maxHeaderSize: maxHeader, keepAliveTimeout: keepAlive * 1000, requestTimeout },
      headersTimeout: Math.min(options.headerTimeout * 1000, requestTimeout),
      connectionsCheckingInterval: 1000,
    });
    server.maxConnections = maxConnections;
    // A client that does not read its answer does not keep its connection for ever: this is longer than any answer takes.
    server.timeout = requestTimeout + SLOWEST;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => {
        server.off('error', reject);
        resolve();
      });
    });
    const started = new HttpServer(server, grace);
    server.on('request', (incoming, outgoing) => {
      // The server as a whole is asked what it can do.
      if (incoming.url === '*') incoming.url = '/';
      started.request(incoming, outgoing);
      void answer(incoming, outgoing);
    });
    return started;
  }

  /** Whether only this machine reaches it. */
  get local(): boolean {
    const { address } = this.address;
    return address.startsWith('127.') || address === '::1';
  }

  get url(): string {
    const { address, family, port } = this.address;
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  }

  /** Stops it, and settles when it listens no more; `ended` tells when it is over. */
  async stop(): Promise<void> {
    if (this.asked) return;
    this.asked = true;
    const latest = performance.now() + LATEST;
    // Connections that the system has taken, and that wait to be seen here, would be reset: a turn without one first.
    for (let before = -1; this.taken > before && performance.now() < latest; ) {
      before = this.taken;
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.close();
  }

  private close(): void {
    this.stopping = true;
    // Not the HTTP server's own close(), which closes idle connections whatever is on its way on them.
    NetServer.prototype.close.call(this.server);
    // One more turn, since what has come in while the thread was busy has not been read yet when a timer is due.
    const idle = setInterval(() => setImmediate(() => this.closeIdle()), LINGER / 2);
    const deadline = setTimeout(() => this.cutAll(), this.grace * 1000);
    void this.ended.then(() => {
      clearInterval(idle);
      clearTimeout(deadline);
      this.server.close();
    });
  }

  private connected(socket: Socket): void {
    this.taken++;
    this.connections.set(socket, new Set());
    socket.once('close', () => this.connections.delete(socket));
  }

  private request(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const owed = this.connections.get(incoming.socket);
    if (!owed) return;
    owed.add(outgoing);
    const writeHead = outgoing.writeHead as (...head: unknown[]) => ServerResponse;
    outgoing.writeHead = (...head: unknown[]) => {
      // Where more requests of this connection wait, the last answer closes it; where the client is still sending, it
      // would not get to read the answer.
      if (this.stopping && incoming.complete && [...owed].at(-1) === outgoing)
        outgoing.shouldKeepAlive = false;
      return writeHead.apply(outgoing, head);
    };
    outgoing.once('close', () => {
      if (incoming.complete || incoming.destroyed) owed.delete(outgoing);
      else drop(incoming, () => owed.delete(outgoing));
    });
  }

  /** Closes connections on which nothing was under way the last time either. */
  private closeIdle(): void {
    const before = this.idle;
    this.idle = new Set([...this.connections].flatMap(([socket, owed]) => (owed.size === 0 ? socket : [])));
    for (const socket of this.idle) if (before.has(socket)) socket.destroySoon();
  }

  private cutAll(): void {
    for (const [socket, owed] of this.connections) {
      this.cut += owed.size;
      socket.destroy();
    }
  }
}

/** Reads the rest of a body that was refused, so that a client that is still sending gets to read why. */
function drop(incoming: IncomingMessage, done: () => void): void {
  incoming.removeAllListeners('data');
  incoming.once('close', done);
  incoming.resume();
}

/** What is wrong with bytes that are no request, as Node's parser tells. */
const REFUSALS: Readonly<Record<string, readonly [status: string, code: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    'too_large',
    'the headers are too large (--max-header)',
  ],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['413 Content Too Large', 'too_large', 'the chunk extensions are too large'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'timeout', 'the request took too long to arrive'],
};

function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const [status, code, message] = REFUSALS[error.code ?? ''] ?? [
    '400 Bad Request',
    'bad_request',
    'this is not HTTP',
  ];
  const body = JSON.stringify({ error: message, code });
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
  );
  // Time to read it.
  setTimeout(() => socket.destroy(), 1000).unref();
}
