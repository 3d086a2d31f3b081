import { ReferenceBackend } from '../../src/backend/reference/backend.ts';
import { Random } from '../../src/core/random.ts';
import * as nn from '../../src/nn/index.ts';
import * as optim from '../../src/optim/index.ts';
import { Engine } from '../../src/scheduler/engine.ts';
import type { BenchCase, Prepared } from '../case.ts';

const mlp = (...widths: number[]) =>
  nn.sequential(
    ...widths
      .slice(1)
      .flatMap((n, i) => [nn.linear(widths[i], n), ...(i < widths.length - 2 ? [nn.relu()] : [])]),
  );
const options = () => ({ loss: nn.crossEntropy, optimizer: optim.adam(), input: [784], seed: 1 });
const SMALL = [784, 256, 128, 10];
const LARGE = [784, 1024, 1024, 10];

function batch(size: number) {
  const random = new Random(5);
  return {
    x: Float32Array.from({ length: size * 784 }, () => random.uniform()),
    t: Int32Array.from({ length: size }, () => random.int(10)),
  };
}

const reference = () => new Engine(new ReferenceBackend(), { provider: undefined as never, findings: [] });

/** Whole training steps: forward, loss, backward, update. */
export function train(quick: boolean): BenchCase[] {
  return [SMALL, ...(quick ? [] : [LARGE])].map((widths) => ({
    suite: 'train',
    name: `MLP ${widths.join('-')}, batch 128, Adam`,
    work: { samples: 128 },
    async prepare(engine): Promise<Prepared> {
      const training = await engine.train(mlp(...widths), options());
      const { x, t } = batch(128);
      return {
        async check() {
          const [fresh, oracle] = [
            await engine.train(mlp(...widths), options()),
            await reference().train(mlp(...widths), options()),
          ];
          const small = batch(4);
          for (let i = 0; i < 2; i++) {
            const [got, want] = [
              await fresh.stepOn(small.x, small.t, 4),
              await oracle.stepOn(small.x, small.t, 4),
            ];
            if (!(Math.abs(got - want) < 1e-4))
              throw new Error(`loss of step ${i + 1} is ${got}, the reference has ${want}`);
          }
          fresh.dispose();
        },
        run: async () => void (await training.stepOn(x, t, 128)),
        dispose: () => training.dispose(),
      };
    },
  }));
}

/** Calls of a frozen model, end to end: values in, values out. */
export function infer(quick: boolean): BenchCase[] {
  const models = [SMALL, ...(quick ? [] : [LARGE])];
  return models.flatMap((widths) =>
    [1, 64].flatMap((size) =>
      (['f32', 'int8'] as const).map((kind) => ({
        suite: 'infer',
        name: `MLP ${widths.join('-')} ${kind}, batch ${size}`,
        work: { samples: size },
        async prepare(engine): Promise<Prepared> {
          const oracle = reference();
          const frozen = await (await oracle.train(mlp(...widths), options())).freeze();
          const model = kind === 'f32' ? frozen : await oracle.quantize(frozen, { calibration: batch(8).x });
          const call = await engine.infer(model, { batchSize: size });
          const { x } = batch(size);
          return {
            async check() {
              const [got, want] = [await call(x), await (await oracle.infer(model, { batchSize: size }))(x)];
              const room = kind === 'int8' ? 0 : 1e-4;
              got.forEach((v, i) => {
                if (!(Math.abs(v - want[i]) <= room))
                  throw new Error(`output ${i} is ${v}, the reference has ${want[i]}`);
              });
            },
            run: async () => void (await call(x)),
            dispose: () => call.dispose(),
          };
        },
      })),
    ),
  );
}
