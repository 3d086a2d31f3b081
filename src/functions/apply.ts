import { fail } from '../core/errors.ts';
import { Parameter } from '../graph/parameter.ts';
import { Tensor, type Tracer } from '../graph/trace.ts';
import type { OpName } from '../ops/index.ts';
import type { Emit } from '../ops/op.ts';

/** What model functions pass to ops: symbolic tensors, parameters, and plain numbers where they broadcast. */
export type Operand = Tensor | Parameter;

/** The trace that a function records in: its operands'. */
export function tracerOf(name: string, operands: readonly (Operand | number)[]): Tracer {
  for (const x of operands) if (x instanceof Tensor) return x.tracer;
  fail('invalid_argument', `${name}: expected at least one tensor that comes from the model's input`);
}

/** The tensor of an operand. */
export const resolve = (tracer: Tracer, x: Operand): Tensor =>
  x instanceof Parameter ? tracer.parameter(x) : x;

/** Records an op on operands and returns its output. */
export function apply(name: OpName, operands: readonly Operand[], attrs?: object): Tensor {
  const tracer = tracerOf(name, operands);
  return tracer.apply(
    name,
    operands.map((x) => resolve(tracer, x)),
    attrs,
  );
}

/** Records ops as rules of `src/ops` do, by name. */
export const emitter =
  (tracer: Tracer): Emit =>
  (op, inputs, attrs) =>
    tracer.apply(op as OpName, inputs, attrs);
