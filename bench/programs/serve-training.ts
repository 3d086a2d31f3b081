import { Random } from '../../src/core/random.ts';
import { data, type Engine, nn, optim, type Training } from '../../src/index.ts';
import { median } from '../run/measure.ts';
import { frozenModel } from '../suites/models.ts';
import { type Load, load } from './load.ts';

const SMALL = [784, 32, 10];
const ASKERS = { callers: 4, pauseMs: 5 };

/**
 * A small int8 model that is asked now and then, alone and while the same engine trains a large one. Its p99 may grow by one
 * training step.
 */
export async function besideTraining(
  engine: Engine,
  widths: readonly number[],
  seconds: number,
  print: (line: string) => void,
): Promise<[string, Load][]> {
  const random = new Random(3);
  const uniform = (rows: number) => Float32Array.from({ length: rows * 784 }, () => random.uniform());
  const model = await engine.quantize(await frozenModel(SMALL), { calibration: uniform(64) });
  const inputs = Array.from({ length: 64 }, () => uniform(1));
  const predictor = await engine.predictor(model, { cache: false });
  const asking = { ...ASKERS, seconds: 3 * seconds };
  const ask = () => load((i) => predictor.predict(inputs[i % inputs.length]), asking);
  const quiet = await ask();
  const layers = widths.slice(1).flatMap((n, i) => [nn.linear(widths[i], n), nn.relu()]);
  const training = await engine.train(nn.sequential(...layers.slice(0, -1)), {
    ...{ loss: nn.crossEntropy, optimizer: optim.adam(), input: [widths[0]], seed: 1 },
  });
  const set = data.fromArrays({ input: uniform(1280), inputShape: [784], target: new Int32Array(1280) });
  const stop = new AbortController();
  const steps = training.fit(set, { batchSize: 128, epochs: 1e6, signal: stop.signal });
  // The first steps make the weights, and the engine's compilers see them.
  for (let i = 0; i < 5; i++) await steps.next();
  const stepTimes: number[] = [];
  const trained = collect(training, steps, stepTimes);
  const busy = await ask();
  stop.abort();
  await trained;
  await predictor.close();
  const sorted = stepTimes.sort((a, b) => a - b);
  const p99 = sorted[Math.floor(0.99 * sorted.length)];
  const longest = sorted[sorted.length - 1];
  const step = { p50: median(sorted), p99, longest, answers: sorted.length };
  const { snapshots, stepMs } = training.cost();
  training.dispose();
  print(
    `  beside training: p99 ${busy.p99.toFixed(1)} ms; alone ${quiet.p99.toFixed(1)} ms and the longest step ${longest.toFixed(1)} ms make ` +
      `${(quiet.p99 + longest).toFixed(1)} ms; snapshots took ${((100 * snapshots.ms) / stepMs).toFixed(1)} % of the steps' time`,
  );
  return [
    ['small model, alone', quiet],
    ['small model, while training', busy],
    ['a training step meanwhile', { ...step, perSecond: (1000 * sorted.length) / (asking.seconds * 1000) }],
  ];
}

/** Trains until it is stopped; the time of each step, in ms. */
async function collect(training: Training, steps: AsyncGenerator<unknown>, times: number[]): Promise<void> {
  try {
    for (let before = training.cost().stepMs; !(await steps.next()).done; before = training.cost().stepMs)
      times.push(training.cost().stepMs - before);
  } catch (error) {
    if ((error as { code?: string }).code !== 'aborted') throw error;
  }
}
