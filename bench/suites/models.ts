import { ReferenceBackend } from '../../src/backend/reference/backend.ts';
import { Random } from '../../src/core/random.ts';
import * as nn from '../../src/nn/index.ts';
import * as optim from '../../src/optim/index.ts';
import { Engine } from '../../src/scheduler/engine.ts';
import { type BenchCase, type Prepared, unlike } from '../run/case.ts';

const mlp = (...widths: number[]) =>
  nn.sequential(
    ...widths
      .slice(1)
      .flatMap((n, i) => [nn.linear(widths[i], n), ...(i < widths.length - 2 ? [nn.relu()] : [])]),
  );
const options = () => ({ loss: nn.crossEntropy, optimizer: optim.adam(), input: [784], seed: 1 });
const SMALL = [784, 256, 128, 10];
const LARGE = [784, 1024, 1024, 10];

export function batch(size: number) {
  const random = new Random(5);
  return {
    x: Float32Array.from({ length: size * 784 }, () => random.uniform()),
    t: Int32Array.from({ length: size }, () => random.int(10)),
  };
}

const reference = () => new Engine(new ReferenceBackend(), { provider: undefined as never, findings: [] });

/** Losses of the first two steps over four samples, from the weights of seed 1. */
async function firstLosses(engine: Engine, widths: readonly number[]): Promise<Float32Array> {
  const training = await engine.train(mlp(...widths), options());
  const { x, t } = batch(4);
  const losses = [await training.stepOn(x, t, 4), await training.stepOn(x, t, 4)];
  training.dispose();
  return Float32Array.from(losses);
}

/** Whole training steps: forward, loss, backward, update. */
export function train(quick: boolean): BenchCase[] {
  return [SMALL, ...(quick ? [] : [LARGE])].map((widths) => ({
    suite: 'train',
    name: `MLP ${widths.join('-')}, batch 128, Adam`,
    work: { samples: 128 },
    limit: undefined,
    problem: { kind: 'train', widths, batch: 128 },
    async prepare(engine): Promise<Prepared> {
      const training = await engine.train(mlp(...widths), options());
      const { x, t } = batch(128);
      return {
        answer: async () => [await firstLosses(engine, widths)],
        run: async () => void (await training.stepOn(x, t, 128)),
        dispose: () => training.dispose(),
      };
    },
    judge: async ([losses]) => unlike(losses, await firstLosses(reference(), widths), 1e-4),
  }));
}

/** An untrained model of this shape, the same every time. */
export const frozenModel = async (widths: readonly number[]) =>
  (await reference().train(mlp(...widths), options())).freeze();

/** Calls of a frozen model, end to end: values in, values out. */
export function infer(quick: boolean): BenchCase[] {
  const models = [SMALL, ...(quick ? [] : [LARGE])];
  return models.flatMap((widths) =>
    [1, 64].flatMap((size) =>
      (['f32', 'int8'] as const).map((precision) => inferCase(widths, size, precision)),
    ),
  );
}

function inferCase(widths: readonly number[], size: number, precision: 'f32' | 'int8'): BenchCase {
  const { x } = batch(size);
  const oracle = reference();
  const model = async () => {
    const frozen = await frozenModel(widths);
    return precision === 'f32' ? frozen : oracle.quantize(frozen, { calibration: batch(8).x });
  };
  return {
    suite: 'infer',
    name: `MLP ${widths.join('-')} ${precision}, batch ${size}`,
    work: { samples: size },
    limit: undefined,
    problem: { kind: 'infer', widths, batch: size, precision },
    async prepare(engine): Promise<Prepared> {
      const call = await engine.infer(await model(), { batchSize: size });
      return {
        answer: async () => [await call(x)],
        run: async () => void (await call(x)),
        dispose: () => call.dispose(),
      };
    },
    async judge([got], exact) {
      if (precision === 'f32' || exact) {
        const want = await (await oracle.infer(await model(), { batchSize: size }))(x);
        return unlike(got, want, precision === 'int8' ? 0 : 1e-4);
      }
      // Another engine rounds in its own way: its int8 answers are held against f32, with room for both roundings.
      const want = await (await oracle.infer(await frozenModel(widths), { batchSize: size }))(x);
      const largest = want.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
      return unlike(got, want, 0.1 * largest);
    },
  };
}
