import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { nn, ops, optim, type Tensor } from '../../src/index.ts';
import { Training } from '../../src/scheduler/train/training.ts';
import { backends, reference } from '../support/backends.ts';

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

const places = [
  { name: 'reference', absent: false as string | false, create: async () => reference() },
  ...backends.filter(({ name }) => name !== 'wasm relaxed'),
];

for (const { name, absent, create } of places)
  describe.skipIf(absent)(`${name} has the weights of ${by}`, () => {
    let backend: Promise<Backend> | undefined;
    afterAll(async () => (await backend)?.dispose());

    it.each(
      cases.map((c, i) => [`${i}: ${c.call} ${JSON.stringify({ ...c, steps: undefined })}`, c] as const),
    )('%s', async (_, { call, options, steps, clipNorm, clipValue, bias: own }) => {
      backend ??= create();
      const w = nn.parameter([2, 3], nn.init.values(Float32Array.from(weight)), 'weight');
      const b = nn.parameter([2], nn.init.values(Float32Array.from(bias)), 'bias');
      const groups = own && [{ match: 'bias', ...own }];
      const training = new Training(
        await backend,
        (x: Tensor) => ops.add(ops.matmul(x, ops.transpose(w)), b),
        {
          ...{ loss: nn.mse, input: [3], clipNorm, clipValue },
          optimizer: make[call]({ ...options, groups }),
        },
      );
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
