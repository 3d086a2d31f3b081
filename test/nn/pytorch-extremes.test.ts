import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import * as f from '../../src/functions/index.ts';
import { differentiate } from '../../src/graph/autodiff.ts';
import { buildPlan } from '../../src/graph/build-plan.ts';
import { type Tensor, Tracer } from '../../src/graph/trace.ts';
import * as nn from '../../src/nn/index.ts';
import * as optim from '../../src/optim/index.ts';
import { Training } from '../../src/scheduler/train/training.ts';
import { backends, reference } from '../support/backends.ts';
/**
 * Computed by PyTorch 2.15, in f64, or in f32 where that decides what is infinite: functions near 0 and at the ends of f32,
 * ties, NaN, batches of different ranks.
 */
import pytorch from './pytorch-extremes.json' with { type: 'json' };

interface Values {
  readonly shape: readonly number[];
  /** Numbers, or what JSON has no number for. */
  readonly data: readonly (number | string)[];
}
interface Expected {
  readonly inputs: readonly Values[];
  readonly y: Values;
  /** Of the sum of y. */
  readonly gradients: readonly Values[];
}

const f32 = (...shape: number[]) => ({ dtype: 'f32' as const, shape });
const rowLoss = (labelSmoothing: number, classes: number[]) => (x: Tensor) =>
  x.tracer.apply(
    'cross_entropy',
    [x, x.tracer.constant(Int32Array.from(classes), { dtype: 'i32', shape: [classes.length] })],
    {
      labelSmoothing,
    },
  );
const matmul = (a: Tensor, b: Tensor) => f.matmul(a, b);

const functions: Record<Exclude<keyof typeof pytorch, 'optimizers'>, (...x: Tensor[]) => Tensor> = {
  elu: (x) => f.elu(x),
  elu_steep: (x) => f.elu(x, 1e4),
  hardswish: f.hardswish,
  softplus: (x) => f.softplus(x),
  silu: f.silu,
  gelu_tanh: (x) => f.gelu(x, 'tanh'),
  max_apart: (x) => f.max(x, { axes: [0, 2] }),
  max_apart_kept: (x) => f.max(x, { axes: [2, 0], keepDims: true }),
  max_outer_of_four: (x) => f.max(x, { axes: [0, 3] }),
  max_nan: (x) => f.max(x, { axes: 1 }),
  matmul_more_ranks: matmul,
  matmul_fewer_ranks: matmul,
  matmul_ones: matmul,
  matmul_crossed: matmul,
  div: f.div,
  mean_beyond: (x) => f.mean(x),
  ce_0_large: rowLoss(0, [0, 1, 2]),
  ce_0_infinite: rowLoss(0, [1, 0]),
  'ce_0.1_large': rowLoss(0.1, [0, 1, 2]),
  'ce_0.1_infinite': rowLoss(0.1, [1, 0]),
  ce_1_large: rowLoss(1, [0, 1, 2]),
  ce_1_infinite: rowLoss(1, [1, 0]),
  bce: (x) =>
    x.tracer.apply('bce_with_logits', [
      x,
      x.tracer.constant(Float32Array.of(0, 0.5, 1, 0, 1, 0.25, 0, 0.25), f32(8)),
    ]),
};

/** y and its gradients, each with its shape. */
async function evaluate(backend: Backend, inputs: readonly Values[], build: (...x: Tensor[]) => Tensor) {
  const tracer = new Tracer({ training: true });
  const tensors = inputs.map(({ shape }, i) => tracer.state(`x${i}`, f32(...shape)));
  const y = build(...tensors);
  tracer.output('y', y);
  differentiate(tracer, f.sum(y), tensors).forEach((d, i) => {
    tracer.output(`d${i}`, d);
  });
  const plan = buildPlan(tracer.graph, { name: 'extremes' });
  const program = await backend.compile(plan);
  inputs.forEach(({ data }, i) => {
    program.write(plan.slots[`x${i}`], Float32Array.from(data, Number));
  });
  program.run();
  const read = async (name: string) => ({
    shape: plan.slots[name].shape,
    data: Array.from(await program.read(plan.slots[name])),
  });
  const result = { y: await read('y'), gradients: await Promise.all(tensors.map((_, i) => read(`d${i}`))) };
  program.dispose();
  return result;
}

function expectClose(got: Values, want: Values, what: string) {
  expect(got.shape, `${what}: shape`).toEqual(want.shape);
  want.data.forEach((value, i) => {
    const [w, g] = [Math.fround(Number(value)), Number(got.data[i])];
    if (Number.isFinite(w))
      expect(Math.abs(g - w), `${what}[${i}]: ${g}, not ${w}`).toBeLessThanOrEqual(
        2 ** -126 + 2e-6 * Math.abs(w),
      );
    else expect(g, `${what}[${i}]`).toBe(w);
  });
}

const all = [
  { name: 'reference', absent: false as string | false, create: async () => reference() },
  ...backends,
];
for (const { name: backendName, absent, create } of all)
  describe.skipIf(absent)(`extremes on ${backendName} agree with PyTorch`, () => {
    let backend: Backend;
    beforeAll(async () => {
      backend = await create();
    });
    afterAll(() => backend?.dispose());

    it.each(Object.keys(functions) as (keyof typeof functions)[])('%s', async (name) => {
      const want = pytorch[name] as Expected;
      const got = await evaluate(backend, want.inputs, functions[name]);
      expectClose(got.y, want.y, 'y');
      want.gradients.forEach((gradient, i) => {
        expectClose(got.gradients[i], gradient, `gradient ${i}`);
      });
    });

    it('bce_with_logits of infinite logits: nothing on the side of the target, else infinite', async () => {
      const x = { shape: [6], data: [Infinity, -Infinity, Infinity, -Infinity, -Infinity, Number.NaN] };
      const targets = Float32Array.of(1, 0, 0, 1, 0.5, 0);
      const { y, gradients } = await evaluate(backend, [x], (t) =>
        t.tracer.apply('bce_with_logits', [t, t.tracer.constant(targets, f32(6))]),
      );
      expect(y.data).toEqual([0, 0, Infinity, Infinity, Infinity, Number.NaN]);
      expect(gradients[0].data).toEqual([0, 0, 1, -1, -0.5, Number.NaN]);
    });

    /** Three steps over parameters whose gradients are the batch's values, from the starts given. */
    async function train(optimizer: optim.Optimizer, starts: number[], gradients: number[]) {
      const n = starts.length;
      const p = nn.parameter([n], nn.init.values(starts), 'p');
      const model = (x: Tensor) => f.mul(x, p);
      const loss: nn.Loss = (y) => f.sum(y);
      const options = { optimizer, loss, input: [n], terminateOnNaN: false };
      const training = new Training(backend, model, options);
      for (let i = 0; i < 3; i++) await training.stepOn(Float32Array.from(gradients), new Float32Array(n), 1);
      const { data } = (await training.freeze()).stateDict().p;
      training.dispose();
      return Array.from(data);
    }

    it('Adam moves parameters whose gradients squared are beyond f32', async () => {
      const gradients = [1, 1.9e19, 1e20, 5e20, -3e19, 1e-22];
      const starts = gradients.map(() => 1);
      const want = (data: number[]) => ({ shape: [6], data });
      const adam = await train(optim.adam({ lr: 0.1 }), starts, gradients);
      expectClose(want(adam), want(pytorch.optimizers.adam), 'adam');
      const adamw = await train(optim.adamw({ lr: 0.1, weightDecay: 0.1 }), starts, gradients);
      expectClose(want(adamw), want(pytorch.optimizers.adamw), 'adamw');
    });

    it('no weight decay adds nothing to the gradient of an infinite parameter, and some does', async () => {
      for (const make of [optim.sgd, optim.adam])
        expect(await train(make({ lr: 0.125 }), [-Infinity, 2], [0, 0])).toEqual([-Infinity, 2]);
      const [infinite, finite] = await train(optim.sgd({ lr: 0.5, weightDecay: 0.5 }), [Infinity, 2], [0, 0]);
      expect([infinite, finite]).toEqual([Number.NaN, 2 * 0.75 ** 3]);
    });

    it('what the loss does not depend on stays as it is: no decay, no momentum, its moments zero', async () => {
      const [unused, used] = [
        [3, -4],
        [1, 2],
      ].map((v, i) => nn.parameter([2], nn.init.values(v), `p${i}`));
      const model = (x: Tensor) => {
        f.mul(x, unused);
        return f.mul(x, used);
      };
      const make = {
        sgd: optim.sgd({ lr: 0.5, weightDecay: 0.5, momentum: 0.9 }),
        adamw: optim.adamw({ lr: 0.1, weightDecay: 0.5 }),
      };
      for (const [name, optimizer] of Object.entries(make)) {
        const training = new Training(backend, model, {
          optimizer,
          loss: (y) => f.sum(y),
          input: [2],
          clipNorm: 1,
        });
        for (let i = 0; i < 3; i++) await training.stepOn(Float32Array.of(1, 0), new Float32Array(2), 1);
        const { p0, p1 } = (await training.freeze()).stateDict();
        training.dispose();
        expect(Array.from(p0.data), name).toEqual([3, -4]);
        // A gradient of 0 is one: the second element decays.
        expect(p1.data[1], name).toBeLessThan(2);
        expect(p1.data[0], name).toBeLessThan(1);
      }
    });
  });
