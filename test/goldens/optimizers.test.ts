import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { createEngine, type Engine, nn, ops, optim } from '../../src/index.ts';

interface Case {
  readonly call: string;
  readonly options: object;
  /** Weights, then biases, after each step. */
  readonly steps: readonly (readonly number[])[];
  readonly clipNorm?: number;
  readonly clipValue?: number;
  /** Options of the bias's group. */
  readonly bias?: object;
}

const file = readFileSync(new URL('optimizers.json', import.meta.url), 'utf8');
const { by, weight, bias, xs, ys, cases } = JSON.parse(file) as Record<
  'weight' | 'bias' | 'xs' | 'ys',
  number[]
> & { by: string; cases: Case[] };
const make = optim as unknown as Record<string, (options: object) => optim.Optimizer>;

for (const backend of ['reference', 'wasm'] as const)
  describe(`${backend} has the weights of ${by}`, () => {
    let engine: Promise<Engine> | undefined;
    afterAll(async () => (await engine)?.dispose());

    it.each(
      cases.map((c, i) => [`${i}: ${c.call} ${JSON.stringify({ ...c, steps: undefined })}`, c] as const),
    )('%s', async (_, { call, options, steps, clipNorm, clipValue, bias: own }) => {
      engine ??= createEngine({ backend, threads: 1 });
      const w = nn.parameter([2, 3], nn.init.values(Float32Array.from(weight)), 'weight');
      const b = nn.parameter([2], nn.init.values(Float32Array.from(bias)), 'bias');
      const groups = own && [{ match: 'bias', ...own }];
      const training = await (await engine).train((x) => ops.add(ops.matmul(x, ops.transpose(w)), b), {
        ...{ loss: nn.mse, input: [3], clipNorm, clipValue },
        optimizer: make[call]({ ...options, groups }),
      });
      for (const [i, expected] of steps.entries()) {
        const batch = [xs.slice(i * 12, i * 12 + 12), ys.slice(i * 8, i * 8 + 8)].map((v) =>
          Float32Array.from(v),
        );
        await training.stepOn(batch[0], batch[1], 4);
        const state = (await training.freeze()).stateDict();
        const got = [...state.weight.data, ...state.bias.data];
        expected.forEach((value, k) => {
          // Five roundings a step, of weights of about 1.
          expect(
            Math.abs(got[k] - value),
            `step ${i + 1}, element ${k}: ${got[k]}, expected ${value}`,
          ).toBeLessThan(2e-5);
        });
      }
      training.dispose();
    });
  });
