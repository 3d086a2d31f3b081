import process from 'node:process';
import { Command } from 'commander';
import { FrozenModel } from '../../node.ts';
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

interface Options extends Common {
  readonly host: string;
  readonly port: number;
  readonly maxBatch: number;
  readonly maxDelay: number;
  readonly maxQueue: number;
  readonly cache: number;
}

const EXAMPLES = `
Examples:
  biphase serve digits-int8.safetensors
  biphase serve digits-int8.safetensors --port 9000 --max-batch 128 --max-delay 1 --cache 0
  curl -H 'content-type: application/json' -d '{"inputs": [[0.1, ...]]}' http://127.0.0.1:8080/predict

POST /predict takes {"inputs": [[...], ...]} or f32 values as application/octet-stream; GET /health; GET /metrics for
Prometheus. Ctrl-C or SIGTERM: no new connections, then the answers that are owed, then the end.`;

export const serve = () =>
  new Command('serve')
    .description('Serves a model over HTTP: dynamic batches, a cache, health and Prometheus metrics.')
    .argument('<model>', 'a model file')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <n>', 'port to listen on; 0 takes any that is free', whole(0, 65535), 8080)
    .option('--max-batch <n>', 'most samples that go through together', whole(1, 65536), 64)
    .option('--max-delay <ms>', 'longest that a sample waits for others', real(0, 60_000), 2)
    .option('--max-queue <n>', 'most samples that may wait', whole(1, 1e6), 1024)
    .option('--cache <bytes>', 'bytes of answers to keep; 0 for none', whole(0, 2 ** 40), 16 * 2 ** 20)
    .addOption(backendOption())
    .addOption(threadsOption())
    .addOption(wideOption())
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(act);

async function act(path: string, options: Options): Promise<void> {
  const {
    host,
    port,
    maxBatch,
    maxDelay: maxDelayMs,
    maxQueue,
    cache,
    backend,
    threads,
    wide,
    json,
  } = options;
  const { model } = await readModel(path);
  // Only this command pays for loading a server.
  const [{ createApp }, { serve: listen }] = await Promise.all([
    import('../serve/app.ts'),
    import('@hono/node-server'),
  ]);
  const engine = await openEngine({ backend, threads, wide });
  const settings = { maxBatch, maxDelayMs, maxQueue, cache: cache > 0 && { maxBytes: cache } };
  const predictor = await engine.predictor(model, settings).catch((error) => {
    engine.dispose();
    throw error;
  });
  say(`${model instanceof FrozenModel ? 'f32' : 'int8'} on ${engine.backend.description}`);
  await new Promise<void>((resolve, reject) => {
    const server = listen({ fetch: createApp(predictor, maxBatch).fetch, port, hostname: host }, (at) => {
      const url = `http://${at.family === 'IPv6' ? `[${at.address}]` : at.address}:${at.port}`;
      print(json ? JSON.stringify({ url }) : `${url}/predict  /health  /metrics`);
    });
    server.once('error', reject);
    const stop = () => server.close(() => void predictor.close().then(resolve, reject));
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  }).finally(() => engine.dispose());
}
