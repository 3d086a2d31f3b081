import { describe, expect, it } from 'vitest';
import { ReferenceBackend } from '../../src/backend/reference/backend.ts';
import * as f from '../../src/functions/index.ts';
import { differentiate } from '../../src/graph/autodiff.ts';
import { buildPlan } from '../../src/graph/build-plan.ts';
import { type Tensor, Tracer } from '../../src/graph/trace.ts';
import * as nn from '../../src/nn/index.ts';
import * as optim from '../../src/optim/index.ts';
import { trainPlan } from '../../src/plans/train.ts';

const f32 = (...shape: number[]) => ({ dtype: 'f32' as const, shape });
const mlp = () => nn.sequential(nn.linear(8, 16), nn.relu(), nn.linear(16, 4));
const names = (plan: { steps: readonly { op: string }[] }) => plan.steps.map((s) => s.op);

describe('plans', () => {
  it('a training step is forward, loss, backward, update, with bias, ReLU and their gradients inside the products', () => {
    const { plan } = trainPlan(mlp(), f32(8), 3, { loss: nn.crossEntropy, optimizer: optim.adamw() });
    const forward = ['matmul', 'matmul', 'cross_entropy', 'mean'];
    const backward = ['cross_entropy_backward', 'matmul', 'linear_backward', 'linear_backward'];
    expect(names(plan)).toEqual([...forward, ...backward, 'adamw']);
    const order = plan.steps.map((s) => ['forward', 'loss', 'backward', 'update'].indexOf(s.section));
    expect(order).toEqual([...order].sort());
    expect(plan.steps[0].inputs.length).toBe(3);
    expect(plan.steps[0].attrs).toMatchObject({ activation: { name: 'relu' } });
  });

  it('computes no gradient that nobody wants: none of the input', () => {
    const { plan } = trainPlan(mlp(), f32(8), 3, { loss: nn.crossEntropy, optimizer: optim.sgd() });
    expect(plan.steps.filter((s) => s.section === 'backward' && s.op === 'matmul').length).toBe(1);
  });

  it('keeps parameters, gradients and moments flat, and reuses memory of the rest', () => {
    const { plan, variables } = trainPlan(mlp(), f32(8), 64, {
      loss: nn.crossEntropy,
      optimizer: optim.adam(),
    });
    expect(variables.map((p) => p.name)).toEqual(['0.weight', '0.bias', '2.weight', '2.bias']);
    expect(variables.map((p) => p.offset)).toEqual([0, 128, 144, 208]);
    for (const name of ['parameters', 'gradients', 'exp_avg', 'exp_avg_sq'])
      expect(plan.slots[name].shape).toEqual([224]);
    expect(plan.memory.temporaryBytes).toBeLessThan(plan.memory.temporaryBytesWithoutReuse);
  });

  it('places parameters that the loss does not depend on behind the others, out of reach of the update', () => {
    const [unused, used] = [
      nn.parameter([20], nn.init.values(new Array(20).fill(0))),
      nn.parameter([8], nn.init.values(new Array(8).fill(0))),
    ];
    const model = (x: Tensor) => {
      f.mul(f.sum(x), unused);
      return f.mul(x, used);
    };
    const options = { loss: nn.mse, optimizer: optim.adam() };
    const { plan, variables } = trainPlan(model, f32(8), 3, options);
    expect(variables.map((p) => [p.variable, p.offset])).toEqual([
      [unused, 16],
      [used, 0],
    ]);
    expect(plan.slots.parameters.shape).toEqual([48]);
    expect(plan.steps.at(-1)!.inputs.map((t) => t.shape)).toEqual([[16], [16], [16], [16], [4]]);
    expect(plan.slots.exp_avg.shape).toEqual([48]);
    expect(() => trainPlan((x) => x, f32(8), 3, options)).toThrow(/uses no parameters/);
    const deaf = (x: Tensor) => {
      f.mul(x, used);
      return x;
    };
    expect(() => trainPlan(deaf, f32(8), 3, options)).toThrow(/depends on no parameter/);
  });

  it('is plain data: survives JSON except for its constants', () => {
    const { plan } = trainPlan(mlp(), f32(8), 3, { loss: nn.crossEntropy, optimizer: optim.sgd() });
    const { constants: _, ...rest } = plan;
    expect(JSON.parse(JSON.stringify(rest))).toEqual(JSON.parse(JSON.stringify({ ...rest })));
    expect(JSON.stringify(rest)).not.toContain('function');
  });

  it('adds up the cost of a step', () => {
    const { plan } = trainPlan(nn.linear(8, 4), f32(8), 3, { loss: nn.mse, optimizer: optim.sgd() });
    const forward = plan.steps.find((s) => s.op === 'matmul')!;
    expect(forward.cost.flops).toBe(2 * 3 * 8 * 4 + 3 * 4);
    expect(forward.cost.bytes).toBe(4 * (3 * 8 + 4 * 8 + 4 + 3 * 4));
  });

  it('does not fuse what is read elsewhere', () => {
    const tracer = new Tracer({ training: false });
    const x = tracer.input('x', f32(3, 8));
    const w = tracer.state('w', f32(8, 4));
    const product = f.matmul(x, w);
    tracer.output('y', f.relu(product));
    tracer.output('product', product);
    expect(names(buildPlan(tracer.graph, { name: 'test' }))).toEqual(['matmul', 'relu']);
  });
});

describe('differentiation', () => {
  const run = async (build: (tracer: Tracer) => void, values: Record<string, number[]>, read: string) => {
    const tracer = new Tracer({ training: true });
    build(tracer);
    const plan = buildPlan(tracer.graph, { name: 'test' });
    const program = await new ReferenceBackend().compile(plan);
    for (const [name, v] of Object.entries(values)) program.write(plan.slots[name], Float32Array.from(v));
    program.run();
    return Array.from(await program.read(plan.slots[read]));
  };

  it('sums over every use of a shared weight', async () => {
    // loss = sum((x w) w): d/dw = (x w) + x w at 1 x 1
    const d = await run(
      (t) => {
        const w = t.state('w', f32(1, 1));
        const loss = f.sum(f.matmul(f.matmul(t.input('x', f32(1, 1)), w), w));
        t.output('d', differentiate(t, loss, [w])[0]);
      },
      { x: [3], w: [5] },
      'd',
    );
    expect(d).toEqual([2 * 3 * 5]);
  });

  it('gives zeros where the loss does not depend on a tensor', async () => {
    const d = await run(
      (t) => {
        const [w, unused] = [t.state('w', f32(2)), t.state('unused', f32(3))];
        t.output('d', differentiate(t, f.sum(f.mul(w, w)), [w, unused])[1]);
      },
      { w: [1, 2] },
      'd',
    );
    expect(d).toEqual([0, 0, 0]);
  });

  it('names the op that has no gradient, and a loss that is not one number', () => {
    const t = new Tracer({ training: true });
    const w = t.state('w', f32(4));
    const quantized = t.apply(
      'dequantize',
      [t.apply('quantize', [w], { scale: 1, zeroPoint: 0, dtype: 'u8' })],
      { scale: 1, zeroPoint: 0 },
    );
    expect(() => differentiate(t, f.sum(quantized), [w])).toThrow(/quantize has no gradient/);
    expect(() => differentiate(t, w, [w])).toThrow(/expected one f32; take its mean or sum/);
  });
});
