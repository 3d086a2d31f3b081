import type { Backend } from '../../src/backend/backend.ts';
import { ReferenceBackend } from '../../src/backend/reference/backend.ts';
import type { NumberArray, TypedArray } from '../../src/core/dtype.ts';
import { Random } from '../../src/core/random.ts';
import { sizeOf } from '../../src/core/shape.ts';
import * as f from '../../src/functions/index.ts';
import { differentiate } from '../../src/graph/autodiff.ts';
import { buildPlan } from '../../src/graph/build-plan.ts';
import type { Plan, Slot } from '../../src/graph/plan.ts';
import { type Tensor, Tracer } from '../../src/graph/trace.ts';
import type { OpName } from '../../src/ops/index.ts';
import type { Case } from '../kit/case.ts';
import { make } from '../kit/tensor.ts';

export interface GradientCase {
  readonly plan: Plan;
  readonly data: readonly TypedArray[];
  /** Inputs that the gradient is taken of. */
  readonly wrt: readonly number[];
}

/** loss = sum(op(inputs) * random weights), over all outputs of f32, and its gradient with respect to each f32 input of the case. */
export function gradientCase(name: OpName, { inputs, attrs }: Case, skip: readonly number[]): GradientCase {
  const data = inputs.map((spec, i) => make(spec, 300 + i));
  const wrt = inputs.flatMap((spec, i) => (spec.dtype === 'f32' && !skip.includes(i) ? [i] : []));
  const tracer = new Tracer({ training: true });
  const tensors: Tensor[] = inputs.map((spec, i) => tracer.state(`x${i}`, spec));
  const random = new Random(77);
  const outputs = tracer.applyAll(name, tensors, attrs).filter(({ dtype }) => dtype === 'f32');
  const losses = outputs.map((y) => {
    const weights = Float32Array.from({ length: sizeOf(y.shape) }, () => 0.5 + random.uniform());
    return f.sum(f.mul(y, tracer.constant(weights, y)));
  });
  const loss = losses.reduce((a, b) => f.add(a, b));
  tracer.output('loss', loss);
  const gradients = differentiate(
    tracer,
    loss,
    wrt.map((i) => tensors[i]),
  );
  gradients.forEach((g, k) => {
    tracer.output(`d${wrt[k]}`, g);
  });
  return { plan: buildPlan(tracer.graph, { name: `gradient of ${name}` }), data, wrt };
}

interface WideProgram {
  view(slot: Slot): NumberArray;
  run(): void;
  dispose(): void;
}

/** The largest difference between gradients and central differences, both in f64, relative to max(1, |gradient|). */
export async function centralDifferenceError({ plan, data, wrt }: GradientCase): Promise<number> {
  const program = (await new ReferenceBackend({ precision: 'f64' }).compile(plan)) as unknown as WideProgram;
  const x = data.map((values, i) => {
    const view = plan.slots[`x${i}`] && program.view(plan.slots[`x${i}`]);
    view?.set(values as unknown as Float64Array);
    return view;
  });
  const loss = program.view(plan.slots.loss);
  program.run();
  const gradients = wrt.map((i) => Float64Array.from(program.view(plan.slots[`d${i}`])));
  let worst = 0;
  wrt.forEach((i, k) => {
    const values = x[i];
    // Every element of small inputs, a spread of large ones.
    const stride = Math.max(1, Math.floor(values.length / 40));
    for (let e = 0; e < values.length; e += stride) {
      const h = 1e-5;
      const before = values[e];
      values[e] = before + h;
      program.run();
      const up = loss[0];
      values[e] = before - h;
      program.run();
      const numeric = (up - loss[0]) / (2 * h);
      values[e] = before;
      worst = Math.max(worst, Math.abs(numeric - gradients[k][e]) / Math.max(1, Math.abs(numeric)));
    }
  });
  program.dispose();
  return worst;
}

/** Gradients as a backend computes them. */
export async function gradientsOn(
  backend: Backend,
  { plan, data, wrt }: GradientCase,
): Promise<TypedArray[]> {
  const program = await backend.compile(plan);
  for (const [i, values] of data.entries())
    if (plan.slots[`x${i}`]) program.write(plan.slots[`x${i}`], values);
  program.run();
  const gradients: TypedArray[] = [];
  for (const i of wrt) gradients.push(await program.read(plan.slots[`d${i}`]));
  program.dispose();
  return gradients;
}
