import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { build } from 'esbuild';

export interface ServedPage {
  readonly address: string;
  close(): void;
}

/**
 * Serves an entry, bundled, as /run.js and a page that loads it; with `isolated`, under the headers that allow shared memory;
 * with `policy`, under that Content-Security-Policy.
 */
export async function servePage(entry: string, { isolated = false, policy = '' } = {}): Promise<ServedPage> {
  const bundled = await build({
    entryPoints: [entry],
    ...{ bundle: true, write: false, format: 'esm', platform: 'browser', logLevel: 'error' },
  });
  const script = bundled.outputFiles[0].text;
  const server = createServer(({ url }, response) => {
    response.setHeader('Content-Type', url === '/run.js' ? 'text/javascript' : 'text/html');
    if (isolated) {
      response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
      response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    }
    if (policy) response.setHeader('Content-Security-Policy', policy);
    response.end(url === '/run.js' ? script : '<script type="module" src="/run.js"></script>');
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () => void server.close(),
  };
}
