import { describe, expect, it } from 'vitest';
import { normal } from '../../conformance/kit/fill.ts';
import { make } from '../../conformance/kit/tensor.ts';
import * as f from '../../src/functions/index.ts';
import { differentiate } from '../../src/graph/autodiff.ts';
import { buildPlan } from '../../src/graph/build-plan.ts';
import type { Plan } from '../../src/graph/plan.ts';
import { type Tensor, Tracer } from '../../src/graph/trace.ts';
import { backends, reference } from '../support/backends.ts';

const f32 = (...shape: number[]) => ({ dtype: 'f32' as const, shape });
const opsOf = (plan: Plan) => plan.steps.map((s) => s.op);

/** A layer as nn.linear() builds it: x W^T + b. */
const linear = (t: Tracer, x: Tensor, name: string, features: number) => {
  const w = t.state(`${name}.w`, f32(features, x.shape.at(-1)!));
  const b = t.state(`${name}.b`, f32(features));
  return { y: f.add(f.matmul(x, w, { transposeB: true }), b), w, b };
};

type Model = (t: Tracer, x: Tensor) => { y: Tensor; wrt: Tensor[] };

/** x, then two layers with a function between them. */
const mlp =
  (activation: (x: Tensor) => Tensor): Model =>
  (t, x) => {
    const one = linear(t, x, 'one', 6);
    const two = linear(t, activation(one.y), 'two', 5);
    return { y: two.y, wrt: [one.w, one.b, two.w, two.b] };
  };

/** A weight that is used twice, so that its gradients are added. */
const shared: Model = (t, x) => {
  const { y, w, b } = linear(t, x, 'one', x.shape.at(-1)!);
  const again = f.add(f.matmul(f.relu(y), w, { transposeB: true }), b);
  return { y: again, wrt: [w, b] };
};

/** What goes around a layer comes together behind it. */
const residual: Model = (t, x) => {
  const one = linear(t, x, 'one', x.shape.at(-1)!);
  const a = f.tanh(one.y);
  const two = linear(t, a, 'two', x.shape.at(-1)!);
  return { y: f.add(f.relu(two.y), a), wrt: [one.w, one.b, two.w, two.b] };
};

/** A bias that is the layer's input's gradient's own shape, read by two layers. */
const sharedBias: Model = (t, x) => {
  const one = linear(t, x, 'one', 4);
  const w = t.state('two.w', f32(4, 4));
  return { y: f.add(f.matmul(f.silu(one.y), w, { transposeB: true }), one.b), wrt: [one.w, one.b, w] };
};

const models: [name: string, model: Model, input: number[]][] = [
  ['relu', mlp(f.relu), [7, 9]],
  ['leaky relu', mlp((x) => f.leakyRelu(x, 0.2)), [7, 9]],
  ['elu', mlp((x) => f.elu(x, 0.5)), [4, 8]],
  ['gelu', mlp(f.gelu), [7, 9]],
  ['sigmoid', mlp(f.sigmoid), [7, 9]],
  ['tanh', mlp(f.tanh), [1, 9]],
  ['an input of rank 3', mlp(f.relu), [2, 3, 9]],
  ['a shared weight', shared, [7, 5]],
  ['a residual', residual, [7, 8]],
  ['a shared bias', sharedBias, [3, 5]],
];

function gradientPlan(model: Model, input: number[], optimize: boolean): Plan {
  const tracer = new Tracer({ training: true });
  const { y, wrt } = model(tracer, tracer.input('x', f32(...input)));
  const loss = f.mean(f.mul(y, y));
  tracer.section = 'backward';
  for (const [i, g] of differentiate(tracer, loss, wrt).entries()) tracer.output(`g${i}`, g);
  return buildPlan(tracer.graph, { name: 'gradients', optimize });
}

async function gradientsOf(plan: Plan, create: (typeof backends)[number]['create']): Promise<Float32Array[]> {
  const backend = await create();
  const program = await backend.compile(plan);
  const given = Object.values(plan.slots).filter((s) => s.role !== 'output');
  for (const [i, slot] of given.entries()) program.write(slot, make({ ...slot, fill: normal }, i + 1));
  program.run();
  const found: Float32Array[] = [];
  for (let i = 0; plan.slots[`g${i}`]; i++)
    found.push((await program.read(plan.slots[`g${i}`])) as Float32Array);
  backend.dispose();
  return found;
}

describe('gradients fused into products', () => {
  it.each(models)('%s: the same numbers as op by op, on every backend', async (_, model, input) => {
    const plain = gradientPlan(model, input, false);
    const fused = gradientPlan(model, input, true);
    expect(opsOf(fused)).toContain('linear_backward');
    expect(fused.steps.length).toBeLessThan(plain.steps.length - 2);
    const want = await gradientsOf(plain, async () => reference());
    for (const { create, absent } of [{ create: async () => reference(), absent: false }, ...backends]) {
      if (absent) continue;
      const got = await gradientsOf(fused, create);
      want.forEach((w, i) => {
        for (const [e, v] of w.entries())
          expect(Math.abs(got[i][e] - v)).toBeLessThan(1e-5 * (1 + Math.abs(v)));
      });
    }
  });

  it('take neither a bias nor an activation to be a dispatch of its own', () => {
    for (const activation of [f.relu, f.gelu, f.silu])
      expect(
        opsOf(gradientPlan(mlp(activation), [7, 9], true)).filter((op) => op.endsWith('_backward')),
      ).toEqual(['linear_backward', 'linear_backward']);
  });

  it('leave alone a product that is read elsewhere, and one that is an output', () => {
    for (const elsewhere of ['read', 'output']) {
      const tracer = new Tracer({ training: false });
      const [dy, w, y] = [f32(3, 4), f32(4, 5), f32(3, 5)].map((t, i) => tracer.input(`x${i}`, t));
      const product = f.matmul(dy, w);
      tracer.output('dx', tracer.apply('relu_backward', [product, y]));
      tracer.output('other', elsewhere === 'read' ? f.scale(product, 2) : product);
      expect(opsOf(buildPlan(tracer.graph, { name: 'test' }))).toContain('relu_backward');
    }
  });

  it('leave alone a derivative of what is computed after the product', () => {
    const tracer = new Tracer({ training: false });
    const [dy, w, x] = [f32(3, 4), f32(4, 5), f32(3, 5)].map((t, i) => tracer.input(`x${i}`, t));
    const product = f.matmul(dy, w);
    const saved = f.scale(x, 2);
    tracer.output('dx', tracer.apply('relu_backward', [product, saved]));
    expect(opsOf(buildPlan(tracer.graph, { name: 'test' }))).toEqual(['matmul', 'scale', 'relu_backward']);
  });

  it('leave alone a sum that is needed before the product comes', () => {
    const tracer = new Tracer({ training: false });
    const [dy, x] = [f32(7, 4), f32(7, 5)].map((t, i) => tracer.input(`x${i}`, t));
    const sum = f.sum(dy, { axes: 0 });
    tracer.output('early', f.scale(sum, 2));
    tracer.output('dw', f.matmul(dy, x, { transposeA: true }));
    expect(opsOf(buildPlan(tracer.graph, { name: 'test' }))).toEqual(['sum', 'scale', 'matmul']);
  });
});
