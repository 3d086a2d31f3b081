/** The frozen digits served by workerd, which takes WebAssembly only as an imported module. */
import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PASSES } from './digits.ts';

const at = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
export const workerd = at('test/runtimes/node_modules/@cloudflare/workerd-linux-64/bin/workerd');
const IDX_HEADER = 16;

/** Images per second, sending them included, and all results; or why there is no workerd. */
export async function runInWorkerd(
  model: string,
  images: string,
): Promise<{ rate: number; results: Uint8Array } | string> {
  if (!existsSync(workerd)) return 'not installed: npm ci --prefix test/runtimes';
  const folder = at('out/hosts/workerd');
  mkdirSync(folder, { recursive: true });
  for (const name of ['worker.mjs', 'config.capnp'])
    copyFileSync(at(`examples/hosts/workerd/${name}`), join(folder, name));
  copyFileSync(model, join(folder, 'digits.wasm'));

  const server = await startWorkerd(folder, 'config.capnp');
  try {
    const body = readFileSync(images).subarray(IDX_HEADER);
    let fastest = Infinity;
    let results = new Uint8Array();
    for (let pass = 0; pass < PASSES; pass++) {
      const begin = performance.now();
      const response = await fetch(server.url, { method: 'POST', body });
      results = new Uint8Array(await response.arrayBuffer());
      if (!response.ok) throw new Error(new TextDecoder().decode(results));
      fastest = Math.min(fastest, (performance.now() - begin) / 1000);
    }
    // Ten results an image.
    return { rate: results.length / 10 / fastest, results };
  } finally {
    server.stop();
  }
}

/** Starts workerd on a configuration in `folder`; settles when it listens. */
export async function startWorkerd(
  folder: string,
  config: string,
): Promise<{ readonly url: string; stop(): void }> {
  const port = await freePort();
  const args = ['serve', config, '--socket-addr', `http=127.0.0.1:${port}`];
  const server = spawn(workerd, args, { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] });
  const ended = new Promise<never>((_, reject) => {
    server.once('exit', (code) => reject(new Error(`workerd ended with ${code} before it answered`)));
  });
  ended.catch(() => undefined);
  await Promise.race([ended, listening(port)]);
  return { url: `http://127.0.0.1:${port}/`, stop: () => void server.kill() };
}

/** Waits until someone takes connections there. */
async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('workerd did not answer within 10 s');
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
