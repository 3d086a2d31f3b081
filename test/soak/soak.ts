/**
 * Trains while it serves, with threads that die, callers who leave and queues that overflow, for as long as it is told:
 * `npm run soak -- --minutes 1`, ten if not given. Fails on a lost, doubled or wrong answer, on weights that differ from
 * an undisturbed training's, and on memory that grows.
 */
import { Command } from 'commander';
import { createWasmBackend } from '../../src/backend/wasm/backend.ts';
import { real } from '../../src/cli/options.ts';
import { data, nn, optim, Random } from '../../src/index.ts';
import { Engine } from '../../src/scheduler/engine.ts';
import { type Fault, FaultPlan, faultyProvider } from '../support/faults.ts';
import { codeOf, FEATURES, int8Model, samples, sleep } from '../support/serving.ts';
import { MemoryWatch } from './memory.ts';

const { minutes } = new Command('soak')
  .description(
    'Trains while it serves, under faults: nothing may be wrong or lost, and memory must stay flat.',
  )
  .option('--minutes <n>', 'how long', real(0.1, 1e4), 10)
  .parse()
  .opts<{ minutes: number }>();
const random = new Random(10);
const set = data.fromArrays({
  input: samples(256, 1),
  inputShape: [FEATURES],
  target: Int32Array.from({ length: 256 }, (_, i) => i % 4),
});
const options = { loss: nn.crossEntropy, optimizer: optim.adam(), seed: 1, input: [FEATURES] };
const network = () => nn.sequential(nn.linear(FEATURES, 64), nn.relu(), nn.dropout(0.1), nn.linear(64, 4));
/** A fit, long enough to be hit many times. */
const FIT = { batchSize: 16, epochs: 60, seed: 3 };

/** One operation in so many breaks. */
const RARELY = 1000;
/** How many broke, by what was going on. */
const faults: Record<string, number> = {};
class RandomFaults extends FaultPlan {
  override next(what: string): Fault | undefined {
    this.operations++;
    if (random.int(RARELY)) return undefined;
    faults[what] = (faults[what] ?? 0) + 1;
    const code = (['device_lost', 'worker_lost', 'out_of_memory'] as const)[random.int(3)];
    return { code, after: random.uniform(), late: random.int(2) === 0 };
  }
}

async function engineOn(plan: FaultPlan): Promise<Engine> {
  const provider = faultyProvider(plan, 'wasm', () => createWasmBackend({ threads: 1, tiles: 'usual' }));
  return new Engine(await provider.create(), { provider, providers: [provider], findings: [] });
}

async function trained(engine: Engine): Promise<Buffer> {
  // Snapshots closer than the faults: what is replayed would break again before it is done.
  const training = await engine.train(network(), { ...options, recovery: { everySteps: 50 } });
  for await (const _ of training.fit(set, FIT));
  const state = Buffer.from(await training.checkpoint());
  training.dispose();
  return state;
}

const model = await int8Model();
const quiet = await engineOn(new FaultPlan());
const want = await trained(quiet);
const infer = await quiet.infer(model);
const inputs = Array.from({ length: 500 }, (_, i) => samples(1 + (i % 4), i));
const outputs: Float32Array[] = [];
for (const x of inputs) outputs.push(await infer(x));
quiet.dispose();

const engine = await engineOn(new RandomFaults());
const predictor = await engine.predictor(model, { maxBatch: 16, maxQueue: 48, cache: { maxBytes: 20_000 } });
const end = performance.now() + minutes * 60_000;
const ends = { answered: 0, overloaded: 0, aborted: 0 };

async function caller(): Promise<void> {
  while (performance.now() < end) {
    const i = random.int(inputs.length);
    const stop = new AbortController();
    if (random.int(10) === 0) setTimeout(() => stop.abort(), random.int(4));
    const asked = predictor.predict(inputs[i], stop.signal);
    const code = await codeOf(asked);
    if (code === 'none') {
      ends.answered++;
      const got = await asked;
      if (!got.every((v, j) => v === outputs[i][j])) throw new Error(`request ${i} got another answer`);
    } else if (code === 'overloaded' || code === 'aborted') ends[code]++;
    else throw new Error(`request ${i} ended with ${code}`);
    await sleep(random.int(3));
  }
}

let fits = 0;
async function trainer(): Promise<void> {
  while (performance.now() < end) {
    if (!(await trained(engine)).equals(want)) throw new Error(`the weights of fit ${fits} differ`);
    fits++;
  }
}

const watch = new MemoryWatch();
const watching = watch.run();
await Promise.all([trainer(), ...Array.from({ length: 24 }, caller)]);
watch.stop();
await watching;
await predictor.close();
const { requests, failed, underWay, ...stats } = predictor.stats();
engine.dispose();
console.log({ fits, faults, requests, ...ends, retried: stats.retried });
const sum = ends.answered + ends.overloaded + ends.aborted;
if (sum !== requests || failed || underWay || stats.answered !== ends.answered)
  throw new Error(`${requests} requests, ${sum} ends, ${failed} failed, ${underWay} under way`);
const { rows, flat } = watch.verdict();
for (const { of, early, late } of rows)
  console.log(`${of} memory: ${early.toFixed(1)} MiB early, ${late.toFixed(1)} MiB at the end`);
if (!flat) throw new Error('memory grew by more than 5 %');
