import { compare } from '../../conformance/judge/compare.ts';
import { make, type TensorSpec } from '../../conformance/kit/tensor.ts';
import type { Program } from '../../src/backend/backend.ts';
import { ReferenceBackend } from '../../src/backend/reference/backend.ts';
import type { TypedArray } from '../../src/core/dtype.ts';
import { buildPlan } from '../../src/graph/build-plan.ts';
import { type Tensor, Tracer } from '../../src/graph/trace.ts';
import { type AttrsOf, type OpName, productOf } from '../../src/ops/index.ts';
import { type BenchCase, type Prepared, unlike } from '../run/case.ts';

export interface OpCase<N extends OpName> {
  readonly suite: string;
  readonly name: string;
  readonly op: N;
  readonly inputs: readonly TensorSpec[];
  readonly attrs: AttrsOf<N>;
  /** Inputs given as constants, which a backend may pack once. */
  readonly constants?: readonly number[];
  /** 'flops' for work bound by arithmetic, 'bytes' for work bound by memory. */
  readonly bound: 'flops' | 'bytes';
}

/** One op as a case: a plan of one step, checked against the reference before it is timed. */
export function opCase<N extends OpName>(given: OpCase<N>): BenchCase {
  const { suite, name, op, inputs, attrs, constants = [], bound } = given;
  const { plan, data } = planOf(op, inputs, attrs, constants);
  const { cost } = plan.steps[0];
  const outputs = Object.keys(plan.slots).filter((name) => plan.slots[name].role === 'output');
  let wanted: Promise<TypedArray[]> | undefined;
  return {
    suite,
    name,
    work: bound === 'flops' ? { flops: cost.flops } : { bytes: cost.bytes },
    intensity: cost.flops / cost.bytes,
    limit: bound === 'bytes' ? 'copy' : productOf(plan.steps[0])?.kind === 'i8' ? 'dot' : 'multiply_add',
    problem: { kind: 'op', op, inputs, attrs, data },
    async prepare(engine): Promise<Prepared> {
      const program = await engine.compile(plan);
      fill(program, data);
      const small = Object.values(plan.slots).reduce((a, b) => (size(a.shape) <= size(b.shape) ? a : b));
      // A device, and the threads of a page, go on after the call: reading something small waits for them.
      const goesOn =
        engine.backend.name === 'webgpu' || (typeof document !== 'undefined' && engine.backend.threads > 1);
      return {
        answer: () => resultsOf(program, outputs),
        run() {
          program.run();
          return goesOn ? program.read(small).then(() => undefined) : undefined;
        },
        dispose: () => program.dispose(),
      };
    },
    async judge(answer, exact) {
      wanted ??= new ReferenceBackend().compile(plan).then((oracle) => {
        fill(oracle, data);
        return resultsOf(oracle, outputs);
      });
      const values = inputs.map((spec, i) => ({ ...spec, data: data[i] }));
      const want = await wanted;
      return answer.flatMap((got, i) =>
        exact ? compare(op, values, attrs, want[i], got) : unlike(got, want[i], roughly(want[i])),
      );
    },
  };
}

/** What other engines are held to: they round, and approximate, in their own way. */
const roughly = (want: TypedArray) =>
  want instanceof Float32Array ? 1e-4 * want.reduce((a, b) => Math.max(a, Math.abs(b)), 1e-3) : 1;

async function resultsOf(program: Program, outputs: readonly string[]): Promise<TypedArray[]> {
  program.run();
  const results: TypedArray[] = [];
  for (const name of outputs) results.push(await program.read(program.plan.slots[name]));
  return results;
}

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

function planOf(op: OpName, inputs: readonly TensorSpec[], attrs: object, constants: readonly number[]) {
  const data = inputs.map((spec, i) => make(spec, 100 + i));
  const tracer = new Tracer({ training: true });
  const tensors: Tensor[] = inputs.map((spec, i) =>
    constants.includes(i) ? tracer.constant(data[i], spec) : tracer.state(`x${i}`, spec),
  );
  tracer.applyAll(op, tensors, attrs).forEach((y, i) => void tracer.output(`y${i}`, y));
  return { plan: buildPlan(tracer.graph, { name: op, optimize: false }), data };
}

function fill(program: Program, data: readonly TypedArray[]): void {
  for (const [i, values] of data.entries()) {
    const slot = program.plan.slots[`x${i}`];
    if (slot) program.write(slot, values);
  }
}
