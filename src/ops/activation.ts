import { sizeOf } from '../core/shape.ts';
import { type Activation, type ActivationName, activationNames, activations } from './activation-table.ts';
import { expectInputs, expectSameShape } from './check.ts';
import { type Op, op } from './op.ts';

export {
  type ActivationKernel,
  type ActivationName,
  activationNames,
  activations,
} from './activation-table.ts';

/** An activation as an attribute of another op (see matmul). */
export interface ActivationRef {
  readonly name: ActivationName;
  readonly attrs: object;
}

/** An activation of the table, its attributes untyped. */
const entryOf = (name: ActivationName) => activations[name] as Activation<object>;

/** The kernel that computes an activation, and the number that it is told. */
export function activationKernel({ name, attrs }: ActivationRef) {
  const { kernel, parameter } = entryOf(name);
  return { kernel: kernel?.(attrs) ?? name, parameter: parameter?.(attrs) ?? 0 };
}

/** The activation's function on one number, with its attributes checked. */
export function activationFunction({ name, attrs }: ActivationRef): (x: number) => number {
  const { f, check } = entryOf(name);
  check?.(attrs);
  return (x) => f(x, attrs);
}

/** The derivative times dy, given what the activation saved, with its attributes checked. */
export function activationDerivative({ name, attrs }: ActivationRef): (dy: number, saved: number) => number {
  const { df, check } = entryOf(name);
  check?.(attrs);
  return (dy, saved) => df(dy, saved, attrs);
}

function forwardRow<A extends object>(name: ActivationName, a: Activation<A>): Op<A> {
  return op<A>({
    fuses: 'activation',
    scalar: (attrs) => (x) => a.f(x, attrs),
    permuted: (attrs) => attrs,
    infer(inputs, attrs) {
      expectInputs(name, inputs, ['f32']);
      a.check?.(attrs);
      return inputs[0];
    },
    reference([x], y, attrs) {
      for (let i = 0; i < y.data.length; i++) y.data[i] = a.f(x.data[i], attrs);
    },
    flops: (_, y) => a.flops * sizeOf(y.shape),
    gradient: ({ inputs, output, dy, attrs, emit }) => [
      emit(`${name}_backward`, [dy, a.saved === 'input' ? inputs[0] : output], attrs),
    ],
  });
}

/** name_backward(dy, saved): saved is the activation's input or output, as its `saved` says. */
function backwardRow<A extends object>(name: ActivationName, a: Activation<A>): Op<A> {
  return op<A>({
    derivativeOf: name,
    permuted: (attrs) => attrs,
    infer(inputs, attrs) {
      expectInputs(`${name}_backward`, inputs, ['f32', 'f32']);
      expectSameShape(`${name}_backward`, inputs[0], inputs[1]);
      a.check?.(attrs);
      return inputs[0];
    },
    reference([dy, saved], y, attrs) {
      for (let i = 0; i < y.data.length; i++) y.data[i] = a.df(dy.data[i], saved.data[i], attrs);
    },
    flops: (_, y) => 2 * a.flops * sizeOf(y.shape),
  });
}

type ActivationRows = {
  [N in ActivationName as N | `${N}_backward`]: (typeof activations)[N] extends Activation<infer A>
    ? Op<A>
    : never;
};

export const activationRows = Object.fromEntries(
  activationNames.flatMap((name) => {
    const a = entryOf(name);
    return [
      [name, forwardRow(name, a)],
      [`${name}_backward`, backwardRow(name, a)],
    ];
  }),
) as ActivationRows;
