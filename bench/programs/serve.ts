import { sameBits } from '../../src/core/content.ts';
import { Random } from '../../src/core/random.ts';
import { createEngine, type Engine, type QuantizedModel } from '../../src/index.ts';
import { PeerProcess } from '../peers.ts';
import { type Result, unlike } from '../run/case.ts';
import { peerNames } from '../run/comparable.ts';
import { median } from '../run/measure.ts';
import { frozenModel, infer } from '../suites/models.ts';
import { type Load, load } from './load.ts';
import { besideTraining } from './serve-training.ts';
import type { ProcessSuiteOptions } from './startup.ts';

const WIDTHS = [784, 1024, 1024, 10];
const CALLERS = 64;
const [ONE_BY_ONE, BATCHED] = ['64 callers, one by one', '64 callers, batched'];
const peerRow = (size: number) => `calls of ${size}, alone, ${peerNames.onnxruntime}`;
const LOADS = [1, 4, 16, 64, 256];
/** Inputs are this many, all different. With the cache off it would not matter if they were asked again. */
const INPUTS = 2048;

const random = new Random(11);
const sample = () => Float32Array.from({ length: WIDTHS[0] }, () => random.uniform());
const batchOf = (inputs: readonly Float32Array[], size: number) =>
  Float32Array.from({ length: size * WIDTHS[0] }, (_, i) => inputs[Math.floor(i / WIDTHS[0])][i % WIDTHS[0]]);

/**
 * Many callers of one int8 model, MLP 784-1024-1024-10: batched by a predictor against calls one by one through the same engine
 * and against onnxruntime-web, waits at several loads, and waits while the engine trains. No answer comes from a cache.
 */
export async function serve({
  quick,
  peers,
  print,
  engine: options,
}: ProcessSuiteOptions): Promise<Result[]> {
  print('serve');
  const engine = await createEngine({ ...options, backend: options.backend ?? 'wasm' });
  const inputs = Array.from({ length: quick ? 256 : INPUTS }, sample);
  const model = await engine.quantize(await frozenModel(WIDTHS), { calibration: batchOf(inputs, 64) });
  await check(engine, model, inputs);
  const seconds = quick ? 0.3 : 1;
  const { name: backend, build, threads } = engine.backend;
  const here = { backend, build, threads };
  const ways = new Map<string, () => Promise<Load>>([
    [ONE_BY_ONE, () => unbatched(engine, model, inputs, seconds)],
    [BATCHED, () => batched(engine, model, inputs, CALLERS, seconds)],
    ['calls of 1, alone', () => calls(engine, model, inputs, 1, seconds)],
    ['calls of 64, alone', () => calls(engine, model, inputs, 64, seconds)],
  ]);
  const peer = peers
    ? await PeerProcess.start('onnxruntime', { backend: 'wasm', threads }, false)
    : undefined;
  const sizes = peer ? [1, 64] : [];
  for (const size of sizes) ways.set(peerRow(size), await peerCalls(peer!, size, seconds));
  // Turn by turn, since a shared machine's speed drifts.
  const loads = new Map<string, Load[]>([...ways.keys()].map((name) => [name, []]));
  for (let round = 0; round < (quick ? 1 : 5); round++)
    for (const [name, way] of ways) loads.get(name)!.push(await way());
  peer?.stop();
  const rate = (name: string) => median(loads.get(name)!.map((l) => l.perSecond));
  const best = peer && sizes.map(peerRow).reduce((a, b) => (rate(b) > rate(a) ? b : a));
  // What it would give many callers is the better of its two ways, if whole batches came by themselves.
  const against = (name: string) =>
    name === BATCHED ? best : name.startsWith('calls') ? `${name}, ${peer?.name}` : undefined;
  const results: Result[] = [];
  const add = (row: Result) => {
    print(line(row));
    results.push(row);
  };
  for (const [name, all] of loads) {
    if (name.endsWith(peerNames.onnxruntime)) continue;
    const other = against(name);
    const theirs = other && loads.get(other);
    add({ ...rowOf(name, all, here), ratio_to_best_peer: theirs ? rate(name) / rate(other) : null });
    if (theirs)
      add({
        ...rowOf(name, theirs, { backend: 'wasm', build: '', threads: peer!.threads }),
        engine: peer!.name,
      });
  }
  const gain = rate(BATCHED) / rate(ONE_BY_ONE);
  const ceiling = rate('calls of 64, alone') / rate('calls of 1, alone');
  print(
    `  batched is ${gain.toFixed(1)} x one by one (5 x wanted); a sample in a batch of 64 takes 1/${ceiling.toFixed(1)} of one alone, which bounds it` +
      (best ? `; ${(rate(BATCHED) / rate(best)).toFixed(1)} x onnxruntime-web's best (3 x wanted)` : ''),
  );
  for (const callers of LOADS) {
    add(
      rowOf(`load: ${callers} callers`, [await batched(engine, model, inputs, callers, 2 * seconds)], here),
    );
  }
  for (const [name, met] of await besideTraining(engine, WIDTHS, seconds, print)) {
    add(rowOf(name, [met], here));
  }
  engine.dispose();
  return results;
}

/** Nothing is timed before answers in batches have the bits of answers alone, and those are right. */
async function check(engine: Engine, model: QuantizedModel, inputs: readonly Float32Array[]): Promise<void> {
  const predictor = await engine.predictor(model, { maxBatch: 64, cache: false });
  const alone = await engine.infer(model, { batchSize: 1 });
  const some = inputs.slice(0, 200);
  const answers = await Promise.all(some.map((x) => predictor.predict(x)));
  for (const [i, x] of some.entries())
    if (!sameBits(answers[i], await alone(x)))
      throw new Error(`answer ${i} is another in a batch than alone`);
  const oracle = await createEngine({ backend: 'reference' });
  const want = await (await oracle.infer(model, { batchSize: 4 }))(batchOf(inputs, 4));
  const wrong = answers.slice(0, 4).flatMap((y, i) => unlike(y, want.subarray(10 * i, 10 * i + 10), 0));
  if (wrong.length) throw new Error(`wrong, so nothing is timed: ${wrong.join('; ')}`);
  oracle.dispose();
  alone.dispose();
  await predictor.close();
}

async function batched(
  engine: Engine,
  model: QuantizedModel,
  inputs: readonly Float32Array[],
  callers: number,
  seconds: number,
) {
  const predictor = await engine.predictor(model, { maxBatch: 64, cache: false });
  const met = await load((i) => predictor.predict(inputs[i % inputs.length]), { callers, seconds });
  await predictor.close();
  return met;
}

/** What there is without a predictor: callers take turns at an inference of one sample. */
async function unbatched(
  engine: Engine,
  model: QuantizedModel,
  inputs: readonly Float32Array[],
  seconds: number,
) {
  const infer = await engine.infer(model, { batchSize: 1 });
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = (i: number) => {
    last = last.then(() => infer(inputs[i % inputs.length]));
    return last;
  };
  const met = await load(inTurn, { callers: CALLERS, seconds });
  infer.dispose();
  return met;
}

/** One caller with whole batches and no pause: what the kernels give. `perSecond` counts samples. */
async function calls(
  engine: Engine,
  model: QuantizedModel,
  inputs: readonly Float32Array[],
  size: number,
  seconds: number,
) {
  const run = await engine.infer(model, { batchSize: size });
  const x = batchOf(inputs, size);
  const times: number[] = [];
  for (let i = 0; i < 5; i++) await run(x);
  for (const end = performance.now() + (seconds / 2) * 1000; performance.now() < end; ) {
    const start = performance.now();
    await run(x);
    times.push(performance.now() - start);
  }
  run.dispose();
  return met(times, size);
}

async function peerCalls(peer: PeerProcess, size: number, seconds: number): Promise<() => Promise<Load>> {
  const found = infer(false).find((c) => c.name === `MLP ${WIDTHS.join('-')} int8, batch ${size}`)!;
  const problems = await found.judge((await peer.prepare(found))!, false);
  if (problems.length) throw new Error(`${peer.name}: ${problems.join('; ')}`);
  return async () => {
    await peer.prepare(found);
    return met(await peer.sample({ seconds: seconds / 2, fewest: 5 }), size);
  };
}

function met(times: number[], size: number): Load {
  const sorted = times.sort((a, b) => a - b);
  const p50 = median(sorted);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return { perSecond: (1000 * size) / p50, p50, p99: at(0.99), longest: at(1), answers: times.length };
}

function rowOf(
  name: string,
  loads: readonly Load[],
  where: Pick<Result, 'backend' | 'build' | 'threads'>,
): Result {
  const rates = loads.map((l) => l.perSecond);
  const rate = median(rates);
  return {
    ...{ suite: 'serve', case: name, engine: 'biphase', ...where },
    ...{ median_ms: median(loads.map((l) => l.p50)), min_ms: Math.min(...loads.map((l) => l.p50)) },
    p99_ms: median(loads.map((l) => l.p99)),
    spread: median(rates.map((r) => Math.abs(r - rate))) / rate,
    samples: loads.reduce((sum, l) => sum + l.answers, 0),
    ...{ rate, unit: 'answers/s', intensity: null, share_of_limit: null, ratio_to_best_peer: null },
  };
}

const line = ({ case: name, engine, rate, median_ms, p99_ms }: Result) =>
  `  ${`${engine === 'biphase' ? '' : `${engine}: `}${name}`.padEnd(44)} ${rate!.toFixed(0).padStart(8)}/s   p50 ${median_ms.toFixed(2).padStart(7)} ms   p99 ${p99_ms!.toFixed(2).padStart(7)} ms`;
