import { fail } from '../core/errors.ts';
import { Tensor, type Tracer, tracing } from '../graph/trace.ts';
import { Variable } from '../graph/variable.ts';
import type { OpName } from '../ops/index.ts';
import type { Emit } from '../ops/op.ts';

/** What model functions pass to ops: symbolic tensors, parameters and buffers, and plain numbers where they broadcast. */
export type Operand = Tensor | Variable;

/**
 * The trace that a function records in: that of the model function which runs now, else its operands'. Throws
 * 'invalid_argument' where there is none, or where it is over.
 */
export function tracerOf(name: string, operands: readonly (Operand | number)[]): Tracer {
  const tracer = tracing() ?? operands.find((x) => x instanceof Tensor)?.tracer;
  if (tracer?.isOpen) return tracer;
  return fail(
    'invalid_argument',
    tracer
      ? `${name}: the model function that this tensor comes from has returned; a model may not be asynchronous, nor keep tensors`
      : `${name}: expected at least one tensor that comes from a model's input; outside of a model function parameters have no values`,
  );
}

/** The tensor of an operand. */
export const resolve = (tracer: Tracer, x: Operand): Tensor =>
  x instanceof Variable ? tracer.variable(x) : x;

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
