import { describe, expect, it } from 'vitest';
import { differentiate } from '../../src/graph/autodiff.ts';
import { buildPlan } from '../../src/graph/build-plan.ts';
import { Tracer } from '../../src/graph/trace.ts';
import { nn, optim } from '../../src/index.ts';
import { trainPlan } from '../../src/plans/train.ts';

const WIDTH = 4;
const layersOf = (depth: number) =>
  nn.sequential(...Array.from({ length: depth }, () => [nn.linear(WIDTH, WIDTH), nn.relu()]).flat());

/** How often a plan's making asks what a node reads, for a chain of layers and its gradients. */
function readsFor(depth: number): number {
  const tracer = new Tracer({ training: true });
  const x = tracer.input('input', { dtype: 'f32', shape: [2, WIDTH] });
  const weights = Array.from({ length: depth }, () =>
    tracer.state(undefined, { dtype: 'f32', shape: [WIDTH, WIDTH] }),
  );
  const biases = weights.map(() => tracer.state(undefined, { dtype: 'f32', shape: [WIDTH] }));
  const y = weights.reduce((h, w, i) => {
    const product = tracer.apply('matmul', [h, w], { transposeA: false, transposeB: true });
    const flat = tracer.apply('reshape', [tracer.apply('add', [product, biases[i]])], { shape: [2 * WIDTH] });
    return tracer.apply('relu', [tracer.apply('reshape', [flat], { shape: [2, WIDTH] })]);
  }, x);
  const loss = tracer.apply('sum', [y], { axes: [0, 1], keepDims: false });
  tracer.section = 'backward';
  differentiate(tracer, loss, [...weights, ...biases]).forEach((g, i) => {
    tracer.output(`gradient ${i}`, g);
  });
  let reads = 0;
  const nodes = tracer.nodes.map((node) => {
    const inputs = new Proxy([...node.inputs], {
      get(target, key) {
        if (typeof key === 'string' && key !== 'length') reads++;
        return Reflect.get(target, key);
      },
    });
    return { ...node, inputs };
  });
  buildPlan({ ...tracer.graph, nodes }, { name: 'deep' });
  return reads;
}

describe('plans of deep models', () => {
  it('are made in time that grows with the model and not with its square', () => {
    const [once, twice] = [readsFor(100), readsFor(200)];
    expect(once).toBeGreaterThan(1000);
    expect(twice / once).toBeLessThan(2.1);
  });

  it('hold 1,600 layers: each product with its bias and activation, and one product of its gradients', () => {
    const depth = 1600;
    const { plan, variables } = trainPlan(layersOf(depth), { dtype: 'f32', shape: [WIDTH] }, 2, {
      loss: nn.mse,
      optimizer: optim.sgd({ lr: 0.1 }),
    });
    const count = (op: string) => plan.steps.filter((step) => step.op === op).length;
    // The first layer's input has no gradient.
    expect(count('matmul')).toBe(depth + depth - 1);
    expect(count('linear_backward')).toBe(depth);
    expect(variables.map(({ offset }) => offset)).toEqual(variables.map((_, i) => 16 * i));
    const [flatLength] = plan.slots.parameters.shape;
    expect(flatLength).toBe(2 * depth * 16);
    // Parameters, gradients, and the constant 1 that the way back begins with.
    const { persistentBytes, temporaryBytes } = plan.memory;
    expect(persistentBytes).toBe(2 * flatLength * 4 + 64);
    // Every layer's output is kept for the way back, and little else.
    expect(temporaryBytes).toBeLessThan((depth + 10) * 64);
  });
});
