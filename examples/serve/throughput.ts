/**
 * What batching brings, and what training beside it costs, in one process: `tsx examples/serve/throughput.ts [--json file]`.
 * Callers ask in a closed loop, each with samples of its own; a predictor's cache is off, so that every answer is computed.
 */
import { writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { createEngine, data, type Engine, nn, optim, type QuantizedModel, Random } from '../../src/index.ts';

const { seconds, json, threads } = new Command()
  .option('--seconds <n>', 'for each figure', Number, 2)
  .option('--threads <n>', 'threads of the wasm backend', Number, 1)
  .option('--json <file>', 'where to write the figures')
  .parse()
  .opts<{ seconds: number; threads: number; json?: string }>();

const WIDTHS = [784, 1024, 1024, 10];
const network = () =>
  nn.sequential(
    ...WIDTHS.slice(1).flatMap((n, i) => [nn.linear(WIDTHS[i], n), ...(i < 2 ? [nn.relu()] : [])]),
  );
const random = new Random(1);
const uniform = (count: number) => Float32Array.from({ length: count * WIDTHS[0] }, () => random.uniform());
const SAMPLES = Array.from({ length: 256 }, () => uniform(1));

interface Figures {
  readonly callers: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

/** `callers` at once, each asking again when it has its answer (after a pause, if given); times in ms. */
async function ask(
  predict: (x: Float32Array) => Promise<unknown>,
  callers: number,
  pauseMs?: number,
): Promise<Figures> {
  const times: number[] = [];
  const begin = performance.now();
  const end = begin + seconds * 1000;
  await Promise.all(
    Array.from({ length: callers }, async (_, c) => {
      for (let i = c; performance.now() < end; i += callers) {
        // Others have their turn, as between requests that come over a network. The clock runs from when the request is
        // due, so that a thread that was busy then counts.
        const start = performance.now() + (pauseMs ?? 0);
        await new Promise((resolve) => (pauseMs ? setTimeout(resolve, pauseMs) : setImmediate(resolve)));
        await predict(SAMPLES[i % SAMPLES.length]);
        times.push(performance.now() - start);
      }
    }),
  );
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(share * times.length))];
  return {
    callers,
    perSecond: (times.length / (performance.now() - begin)) * 1000,
    p50: at(0.5),
    p99: at(0.99),
  };
}

/** Calls of one sample, one after the other, through an inference: what there is without a predictor. */
async function unbatched(engine: Engine, model: QuantizedModel, callers: number): Promise<Figures> {
  const infer = await engine.infer(model, { batchSize: 1 });
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = (x: Float32Array) => {
    const mine = last.then(() => infer(x));
    last = mine;
    return mine;
  };
  const figures = await ask(inTurn, callers);
  infer.dispose();
  return figures;
}

const show = (name: string, { callers, perSecond, p50, p99 }: Figures) =>
  console.log(
    `${name.padEnd(32)} ${String(callers).padStart(3)} callers ${perSecond.toFixed(0).padStart(7)}/s  p50 ${p50.toFixed(2)} ms  p99 ${p99.toFixed(2)} ms`,
  );

const engine = await createEngine({ backend: 'wasm', threads });
console.log(engine.describe());
const options = { loss: nn.crossEntropy, optimizer: optim.adam(), input: [784], seed: 1 };
const frozen = await (await engine.train(network(), options)).freeze();
const model = await engine.quantize(frozen, { calibration: uniform(64) });
const figures: Record<string, unknown> = { engine: engine.describe(), widths: WIDTHS };

const alone = await unbatched(engine, model, 64);
show('unbatched', alone);
const loads: Figures[] = [];
for (const callers of [1, 4, 16, 64]) {
  const predictor = await engine.predictor(model, { maxBatch: 64, maxDelayMs: 1, cache: false });
  loads.push(await ask((x) => predictor.predict(x), callers));
  show('predictor, maxBatch 64', loads.at(-1)!);
  await predictor.close();
}
console.log(`64 callers: ${(loads.at(-1)!.perSecond / alone.perSecond).toFixed(1)} x unbatched\n`);

// A small model, asked now and then, alone and while a training goes on.
const small = nn.sequential(nn.linear(784, 32), nn.relu(), nn.linear(32, 10));
const tiny = await engine.quantize(await (await engine.train(small, options)).freeze(), {
  calibration: uniform(64),
});
const predictor = await engine.predictor(tiny, { maxDelayMs: 1, cache: false });
const quiet = await ask((x) => predictor.predict(x), 4, 5);
show('small model, alone', quiet);
const set = data.fromArrays({ input: uniform(2560), inputShape: [784], target: new Int32Array(2560) });
const training = await engine.train(network(), options);
const stop = new AbortController();
const steps = training.fit(set, { batchSize: 128, epochs: 1e6, signal: stop.signal });
// The first steps make the weights and are seen by the engine's compilers.
for (let i = 0; i < 5; i++) await steps.next();
const running = (async () => {
  for await (const _ of steps);
})().catch(() => undefined);
const busy = await ask((x) => predictor.predict(x), 4, 5);
stop.abort();
await running;
show('small model, while training', busy);
const { stepMs, snapshots, ...cost } = training.cost();
const step = stepMs / cost.steps;
console.log(
  `a training step: ${step.toFixed(2)} ms; p99 alone plus one step: ${(quiet.p99 + step).toFixed(2)} ms, measured ${busy.p99.toFixed(2)} ms`,
);
console.log(
  `snapshots: ${snapshots.taken}, ${((100 * snapshots.ms) / stepMs).toFixed(2)} % of the time of steps`,
);
Object.assign(figures, { unbatched: alone, predictor: loads, quiet, busy, stepMs: step, snapshots });
if (json) writeFileSync(json, JSON.stringify(figures, null, 2));
await predictor.close();
engine.dispose();
