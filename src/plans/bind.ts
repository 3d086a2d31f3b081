import { atOnce } from '../core/callbacks.ts';
import type { TypedArray } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { sameShape, showShape } from '../core/shape.ts';
import { foldConstants } from '../graph/passes/fold.ts';
import { Tensor, Tracer, type VariableBinding } from '../graph/trace.ts';
import { Parameter, type Variable } from '../graph/variable.ts';

/** What a binding can make a parameter's tensor from. */
export interface Bound {
  /** The parameter, changed along its gradient. */
  trained(): Tensor;
  /** The parameter as it is at the beginning: no gradient reaches it, and no step changes it. */
  frozen(): Tensor;
}

/**
 * What the model sees of a parameter, by its name in the state dict: itself, trained or frozen, or something that is computed
 * from it and from parameters of the binding's own, which are trained. Called once for each parameter of a trace.
 */
export type Bind = (path: string, parameter: Bound) => Tensor;

/** The tensors that variables are before any binding. */
export interface Unbound {
  /** `isBindings`: a parameter of the binding's own. */
  trained(parameter: Parameter, isBindings: boolean): Tensor;
  frozen(parameter: Parameter): Tensor;
  buffer(buffer: Variable): Tensor;
}

/** Variables through a binding: all but buffers, and what it uses of its own. */
export function through(
  bind: Bind | undefined,
  names: (variable: Variable) => string,
  { trained, frozen, buffer }: Unbound,
): VariableBinding {
  let isBinding = false;
  return (variable) => {
    if (!(variable instanceof Parameter)) return buffer(variable);
    if (!bind || isBinding) return trained(variable, isBinding);
    const name = names(variable);
    isBinding = true;
    try {
      const bound = bind(name, { trained: () => trained(variable, false), frozen: () => frozen(variable) });
      return expectBound(name, variable, atOnce(`the binding of '${name}'`, bound));
    } finally {
      isBinding = false;
    }
  };
}

/** What a binding gave, which has to stand where the parameter stood. */
function expectBound(name: string, { shape }: Parameter, bound: unknown): Tensor {
  if (!(bound instanceof Tensor))
    return fail(
      'invalid_argument',
      `bind gave no tensor for '${name}'; give trained(), frozen(), or what ops make of them`,
    );
  if (bound.dtype !== 'f32' || !sameShape(bound.shape, shape))
    fail(
      'shape_mismatch',
      `bind gave ${bound.dtype} ${showShape(bound.shape)} for '${name}', which is f32 ${showShape(shape)}`,
    );
  return bound;
}

/** The values of a model's variables as it sees them through a binding: what it serves with, when it is frozen. */
export function boundValues(
  variables: readonly { readonly name: string; readonly variable: Variable }[],
  values: ReadonlyMap<Variable, TypedArray>,
  bind: Bind,
): Map<Variable, TypedArray> {
  const tracer = new Tracer({ training: false });
  const constant = (v: Variable) => {
    const data =
      values.get(v) ??
      fail(
        'invalid_argument',
        'bind made a parameter that it did not train with; make them once, outside of it',
      );
    return tracer.constant(data, { dtype: v.dtype, shape: v.shape });
  };
  const names = new Map(variables.map(({ name, variable }) => [variable, name]));
  tracer.bindVariables(
    through(bind, (v) => names.get(v)!, { trained: constant, frozen: constant, buffer: constant }),
  );
  const seen = tracer.run(() => variables.map(({ variable }) => tracer.variable(variable)));
  const { tensors } = foldConstants(tracer.graph, Infinity);
  return new Map(
    seen.map(({ id }, i) => {
      const { name, variable } = variables[i];
      const { data } = tensors[id];
      return [
        variable,
        data ??
          fail(
            'unsupported',
            `what bind makes of '${name}' depends on more than parameters; it can't be frozen`,
          ),
      ];
    }),
  );
}
