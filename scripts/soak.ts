/**
 * Trains while it serves, with threads that die, callers who leave and queues that overflow, for as long as it is told:
 * `tsx scripts/soak.ts [minutes]`, ten if not given. Fails on a lost, doubled or wrong answer, on weights that differ from
 * an undisturbed training's, and on memory that grows.
 */
import { createWasmBackend } from '../src/backend/wasm/backend.ts';
import { data, nn, optim, Random } from '../src/index.ts';
import { Engine } from '../src/scheduler/engine.ts';
import { type Fault, FaultPlan, faultyProvider } from '../test/support/faults.ts';
import { codeOf, FEATURES, int8Model, samples, sleep } from '../test/support/serving.ts';

const minutes = Number(process.argv[2] ?? 10);
const random = new Random(minutes);
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
const RARELY = 2000;
class RandomFaults extends FaultPlan {
  override next(what: string): Fault | undefined {
    this.operations++;
    if (random.int(RARELY)) return undefined;
    this.struck.push(what);
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

const plan = new RandomFaults();
const engine = await engineOn(plan);
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
const memory: number[] = [];
async function trainer(): Promise<void> {
  while (performance.now() < end) {
    if (!(await trained(engine)).equals(want)) throw new Error(`the weights of fit ${fits} differ`);
    fits++;
    if (fits % 10 === 0) memory.push(process.memoryUsage().rss);
  }
}

await Promise.all([trainer(), ...Array.from({ length: 24 }, caller)]);
await predictor.close();
const { requests, failed, underWay, ...stats } = predictor.stats();
engine.dispose();
const [early, late] = [memory.slice(1, 4), memory.slice(-3)].map((m) => Math.max(0, ...m) / 2 ** 20);
console.log({ fits, faults: plan.struck.length, requests, ...ends, retried: stats.retried, early, late });
const sum = ends.answered + ends.overloaded + ends.aborted;
if (sum !== requests || failed || underWay || stats.answered !== ends.answered)
  throw new Error(`${requests} requests, ${sum} ends, ${failed} failed, ${underWay} under way`);
if (memory.length > 8 && late > 1.3 * early + 30) throw new Error(`memory grew from ${early} to ${late} MiB`);
