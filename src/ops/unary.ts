import { sizeOf } from '../core/shape.ts';
import { expectInputs } from './check.ts';
import { type Op, op } from './op.ts';
import { type UnaryName, type unaries, unaryNames, unaryOf } from './unary-table.ts';

export { type ClipAttrs, type UnaryName, unaryNames, unaryOf } from './unary-table.ts';

function row(name: UnaryName): Op {
  const { f, flops, gradient, check, keepsWhole, steep } = unaryOf(name);
  return op({
    keepsWhole,
    permuted: (attrs) => attrs,
    scalar: steep ? undefined : (attrs) => (x) => f(x, attrs),
    infer(inputs, attrs) {
      expectInputs(name, inputs, ['f32']);
      check?.(attrs);
      return inputs[0];
    },
    reference([x], y, attrs) {
      for (let i = 0; i < y.data.length; i++) y.data[i] = f(x.data[i], attrs);
    },
    flops: (_, y) => flops * sizeOf(y.shape),
    gradient: (c) => [gradient?.({ ...c, x: c.inputs[0] })],
  });
}

type UnaryRows = {
  [N in UnaryName]: (typeof unaries)[N] extends { number: number; f: (x: number, attrs: infer A) => number }
    ? Op<A extends object ? A : object>
    : never;
};

export const unary = Object.fromEntries(unaryNames.map((name) => [name, row(name)])) as UnaryRows;
