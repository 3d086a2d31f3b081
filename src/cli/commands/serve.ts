import { Command } from 'commander';
import { FrozenModel } from '../../node.ts';
import { toldFacts } from '../data/tell.ts';
import { openEngine } from '../engine.ts';
import { readModel } from '../models.ts';
import {
  backendOption,
  type Common,
  jsonOption,
  real,
  threadsOption,
  whole,
  wideOption,
} from '../options.ts';
import { print, say } from '../print.ts';
import { onRaw } from '../serve/raw.ts';
import type { ServerOptions } from '../serve/server.ts';
import { stoppable } from '../signals.ts';

interface Options extends Common, ServerOptions {
  readonly maxBatch: number;
  readonly maxDelay: number;
  readonly maxQueue?: number;
  readonly maxBody?: number;
  readonly cache: number;
  readonly apiKeyFile?: string;
  readonly cors?: readonly string[];
}

const EXAMPLES = `
Examples:
  biphase serve digits-int8.safetensors
  biphase serve digits-int8.safetensors --port 9000 --max-batch 128 --cache 0
  biphase serve digits-int8.safetensors --host 0.0.0.0 --api-key-file keys.txt --cors https://example.org
  curl -H 'content-type: application/json' -d '{"inputs": [[0.1, ...]]}' http://127.0.0.1:8080/predict

POST /predict takes {"inputs": [[...], ...]} or f32 values as application/octet-stream; GET /health; GET /metrics for
Prometheus. Ctrl-C or SIGTERM: no new connections, then the answers that are owed, then the end; a second one ends at once.`;

const origins = (origin: string, before: readonly string[] = []) => [...before, origin];

export const serve = () =>
  new Command('serve')
    .description('Serves a model over HTTP: dynamic batches, a cache, health and Prometheus metrics.')
    .argument('<model>', 'a model file')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <n>', 'port to listen on; 0 takes any that is free', whole(0, 65535), 8080)
    .option('--max-batch <n>', 'most samples that go through together', whole(1, 65536), 64)
    .option('--max-delay <ms>', 'longest that a sample waits for others to go with', real(0, 60_000), 0)
    .option(
      '--max-queue <n>',
      'most samples that may wait (1024, or --max-batch if that is more)',
      whole(1, 1e6),
    )
    .option('--cache <bytes>', 'bytes of answers to keep; 0 for none', whole(0, 2 ** 40), 16 * 2 ** 20)
    .option('--api-key-file <path>', 'a file with a key on each line: requests need one, but for /health')
    .option('--cors <origin>', "an origin whose pages may ask, or '*'; may be given more than once", origins)
    .option('--grace <s>', 'longest wait for answers that are owed when told to stop', real(0, 86_400), 10)
    .option('--max-body <bytes>', 'largest body (32 MiB, or what a full batch may take)', whole(1, 2 ** 31))
    .option('--max-header <bytes>', 'largest headers of a request', whole(1024, 2 ** 20), 16 * 1024)
    .option('--max-connections <n>', 'most connections at once', whole(1, 1e6), 1024)
    .option('--header-timeout <s>', "longest for a request's headers to arrive", real(0.1, 3600), 10)
    .option('--request-timeout <s>', 'longest for a whole request to arrive', real(0.1, 86_400), 60)
    .option('--keep-alive <s>', 'how long an idle connection is kept', real(0.1, 3600), 60)
    .addOption(backendOption())
    .addOption(threadsOption())
    .addOption(wideOption())
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(act);

async function act(path: string, options: Options): Promise<void> {
  const { maxBatch, maxDelay: maxDelayMs, maxQueue, cache, backend, threads, wide, json } = options;
  // Only this command pays for loading a server.
  const [{ createApp }, { HttpServer }, { readKeys }] = await Promise.all([
    import('../serve/app.ts'),
    import('../serve/server.ts'),
    import('../serve/keys.ts'),
  ]);
  const keys = options.apiKeyFile === undefined ? undefined : await readKeys(options.apiKeyFile);
  const { model, facts } = await readModel(path);
  const engine = await openEngine({ backend, threads, wide });
  try {
    const settings = { maxBatch, maxDelayMs, maxQueue, cache: cache > 0 && { maxBytes: cache } };
    const predictor = await engine.predictor(model, settings);
    const stopping = new AbortController();
    const { maxBody, cors } = options;
    const app = createApp(onRaw(predictor, facts), {
      maxBatch,
      maxBody,
      keys,
      cors,
      stopping: stopping.signal,
    });
    const server = await HttpServer.listen(app.fetch, options);
    say(`${model instanceof FrozenModel ? 'f32' : 'int8'} on ${engine.backend.description}`);
    for (const line of toldFacts(facts)) say(line);
    if (!server.local && !keys)
      say('everybody who reaches this address may ask: --api-key-file FILE asks for a key');
    print(json ? JSON.stringify({ url: server.url }) : `${server.url}/predict  /health  /metrics`);
    const { result: cut } = await stoppable((stop) => {
      stop.addEventListener('abort', () => void server.stop().then(() => stopping.abort()), { once: true });
      return server.ended;
    });
    if (cut > 0) say(`${cut} requests were cut: --grace ${options.grace} s were over`);
    await predictor.close();
  } finally {
    engine.dispose();
  }
}
