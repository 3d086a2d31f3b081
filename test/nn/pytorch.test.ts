import { describe, expect, it } from 'vitest';
import { ReferenceBackend } from '../../src/backend/reference/backend.ts';
import * as f from '../../src/functions/index.ts';
import { differentiate } from '../../src/graph/autodiff.ts';
import { buildPlan } from '../../src/graph/build-plan.ts';
import { type Tensor, Tracer } from '../../src/graph/trace.ts';
import * as nn from '../../src/nn/index.ts';
import * as optim from '../../src/optim/index.ts';
import { Training } from '../../src/scheduler/train/training.ts';
import { backends, reference } from '../support/backends.ts';
/**
 * Computed in f64 by PyTorch 2.4.1: losses, activations and optimizer steps on the inputs written below; hardswish's derivative
 * at -3 and 3 by 2.15, which changed it.
 */
import pytorch from './pytorch.json' with { type: 'json' };

const f32 = (...shape: number[]) => ({ dtype: 'f32' as const, shape });

/** Value and gradient of a function of one tensor. */
async function valueAndGradient(shape: number[], x: number[], build: (x: Tensor) => Tensor) {
  const tracer = new Tracer({ training: true });
  const input = tracer.state('x', f32(...shape));
  const y = build(input);
  tracer.output('y', y);
  tracer.output('d', differentiate(tracer, f.sum(y), [input])[0]);
  const plan = buildPlan(tracer.graph, { name: 'test' });
  const program = await new ReferenceBackend().compile(plan);
  program.write(plan.slots.x, Float32Array.from(x));
  program.run();
  return { y: Array.from(await program.read(plan.slots.y)), d: Array.from(await program.read(plan.slots.d)) };
}

const closeTo = (got: ArrayLike<number>, want: ArrayLike<number>, tolerance = 1e-6) => {
  expect(got.length).toBe(want.length);
  for (let i = 0; i < want.length; i++) expect(Math.abs(got[i] - want[i]), `[${i}]`).toBeLessThan(tolerance);
};

describe('losses agree with PyTorch', () => {
  const logits = [1.5, -0.5, 2.0, 0.25, 3.0, -1.0];
  const classes = Int32Array.of(2, 0);
  const values = [1, 0, 1.5, 0, 1, -3];
  const chances = [1, 0, 0.5, 0, 1, 0.25];
  const real = (loss: nn.Loss, target: number[]) => (x: Tensor) =>
    loss(x, x.tracer.constant(Float32Array.from(target), f32(2, 3)));
  const labels = (loss: nn.Loss) => (x: Tensor) =>
    loss(x, x.tracer.constant(classes, { dtype: 'i32', shape: [2] }));
  const losses: [keyof typeof pytorch, (x: Tensor) => Tensor][] = [
    ['cross_entropy', labels(nn.crossEntropy)],
    ['cross_entropy_sum', labels(nn.crossEntropyLoss({ reduction: 'sum' }))],
    ['cross_entropy_smoothed', labels(nn.crossEntropyLoss({ labelSmoothing: 0.1 }))],
    ['mse', real(nn.mse, values)],
    ['mse_sum', real(nn.mseLoss({ reduction: 'sum' }), values)],
    ['bce_with_logits', real(nn.bceWithLogits, chances)],
    ['huber', real(nn.huberLoss({ delta: 0.75 }), values)],
  ];
  for (const [name, loss] of losses)
    it(name, async () => {
      const { y, d } = await valueAndGradient([2, 3], logits, loss);
      const want = pytorch[name] as { loss: number; gradient: number[] };
      closeTo(y, [want.loss]);
      closeTo(d, want.gradient);
    });
});

describe('activations agree with PyTorch', () => {
  const x = [-5, -3, -1.25, -0.5, 0, 0.5, 1.25, 3, 5];
  const functions: Record<keyof typeof pytorch.activations, (x: Tensor) => Tensor> = {
    relu: f.relu,
    leaky_relu: f.leakyRelu,
    gelu: f.gelu,
    gelu_tanh: (t) => f.gelu(t, 'tanh'),
    silu: f.silu,
    sigmoid: f.sigmoid,
    tanh: f.tanh,
    softplus: f.softplus,
    hardswish: f.hardswish,
  };
  for (const [name, activation] of Object.entries(functions))
    it(name, async () => {
      const { y, d } = await valueAndGradient([9], x, activation);
      const want = pytorch.activations[name as keyof typeof functions];
      closeTo(y, want.y);
      closeTo(d, want.dx);
    });
});

describe('optimizers agree with PyTorch after 5 steps', () => {
  // loss = sum(w * (p - target)^2)
  const start = [1, -2, 0.5, 3];
  const target = Float32Array.of(0.5, 0.25, -1, 2);
  const weight = Float32Array.of(1, 2, 3, 4);
  const optimizers: Record<
    keyof typeof pytorch.optimizers,
    { optimizer: optim.Optimizer; clipNorm?: number }
  > = {
    sgd: { optimizer: optim.sgd({ lr: 0.05 }) },
    sgd_momentum: { optimizer: optim.sgd({ lr: 0.02, momentum: 0.9, weightDecay: 0.01 }) },
    sgd_nesterov: { optimizer: optim.sgd({ lr: 0.02, momentum: 0.9, nesterov: true }) },
    adam: { optimizer: optim.adam({ lr: 0.1 }) },
    adam_decay: { optimizer: optim.adam({ lr: 0.1, betas: [0.8, 0.99], weightDecay: 0.1 }) },
    adamw: { optimizer: optim.adamw({ lr: 0.1, weightDecay: 0.1 }) },
    adamw_clipped: { optimizer: optim.adamw({ lr: 0.1, weightDecay: 0.01 }), clipNorm: 1 },
  };
  for (const [name, options] of Object.entries(optimizers))
    it(name, async () => {
      const p = nn.parameter([4], nn.init.values(start), 'p');
      const model = (x: Tensor) => f.sub(f.broadcast(p2(x), [1, 4]), x);
      const p2 = (x: Tensor) => x.tracer.variable(p);
      const loss: nn.Loss = (d) => f.sum(f.mul(f.mul(d, d), d.tracer.constant(weight, f32(4))));
      const training = new Training(reference(), model, { ...options, loss, input: [4] });
      for (let i = 0; i < 5; i++) await training.stepOn(target, new Float32Array(4), 1);
      const { p: got } = (await training.freeze()).stateDict();
      closeTo(got.data, pytorch.optimizers[name as keyof typeof optimizers], 2e-5);
    });
});

describe('a 10-step loss trajectory, clipped AdamW on a small MLP, agrees with PyTorch', () => {
  const layerValues = (k: number) => (_: unknown, data: Float32Array) => {
    for (let i = 0; i < data.length; i++) data[i] = (((i * (7 + k)) % 11) - 5) / 10;
  };
  const parameter = (k: number, ...shape: number[]) => nn.parameter(shape, layerValues(k));
  const linear = (k: number, n: number, m: number) =>
    nn.module({ weight: parameter(k, m, n), bias: parameter(k + 1, m) }, (x, p) =>
      f.add(f.matmul(x, p.weight, { transposeB: true }), p.bias),
    );
  const x = Float32Array.from({ length: 24 }, (_, i) => (((i * 5) % 13) - 6) / 5);
  const t = Int32Array.of(0, 1, 2, 0, 1, 2);
  const all = [
    { name: 'reference', absent: false as string | false, create: async () => reference() },
    ...backends,
  ];
  for (const { name, absent, create } of all)
    it.skipIf(absent)(name, async () => {
      const backend = await create();
      const training = new Training(backend, nn.sequential(linear(0, 4, 8), nn.tanh(), linear(2, 8, 3)), {
        loss: nn.crossEntropy,
        optimizer: optim.adamw({ lr: 0.05, weightDecay: 0.01 }),
        clipNorm: 0.5,
        input: [4],
      });
      const losses: number[] = [];
      for (let i = 0; i < 10; i++) losses.push(await training.stepOn(x, t, 6));
      // f32 against f64: the difference grows from step to step, to about 1e-6 here.
      closeTo(losses, pytorch.trajectory, 2e-5);
      training.dispose();
      backend.dispose();
    });
});
