import { sizeOf } from '../../../core/shape.ts';
import type { TensorRef } from '../../../graph/plan.ts';
import { type ReduceAttrs, type ReduceSizes, reduceSizes, type reduce as rows } from '../../../ops/reduce.ts';
import { rowsOf } from '../../../ops/softmax.ts';
import { type Dispatch, float, type Shader, wordOf } from '../record.ts';
import type { Scratch } from '../scratch.ts';
import { count, each, type Kernel, type Kernels, one, packed, shader, TYPES } from './kernel.ts';

/** Terms that one workgroup combines. More are combined in parts first, and then the parts. */
export const CHUNK = 4096;

/** Invocations that share one sum: a short one is quicker alone than waiting for others. */
export const lanesFor = (terms: number): number => (terms <= 256 ? 1 : 64);

/** A pass over `count` terms, which leaves `parts`. */
export interface Pass {
  readonly count: number;
  readonly parts: number;
  readonly chunk: number;
}

/** Passes until one term is left, each over what the one before left: of about the same size, CHUNK at most. */
function passesOver(count: number): Pass[] {
  const parts = Math.ceil(count / CHUNK);
  if (parts <= 1) return [{ count, parts: 1, chunk: count }];
  return [{ count, parts, chunk: Math.ceil(count / parts) }, ...passesOver(parts)];
}

/** Runs passes from x to the word y by way of scratch memory; `size` words for each part. */
export function inPasses(
  count: number,
  size: number,
  x: TensorRef,
  y: number,
  scratch: Scratch,
  dispatch: (pass: Pass, from: number, to: number) => Dispatch,
): Dispatch[] {
  let from = wordOf(x);
  return passesOver(count).map((pass) => {
    const to = pass.parts === 1 ? y : scratch.lend(pass.parts * size);
    const made = dispatch(pass, from, to);
    from = to;
    return made;
  });
}

/** Sums (`kind` 0), divided in the last pass, or largest (1) or smallest elements (2). */
export function reduceDispatches(
  kind: 0 | 1 | 2,
  { outer, count, inner }: ReduceSizes,
  x: TensorRef,
  y: TensorRef,
  scratch: Scratch,
  divisor = 1,
): Dispatch[] {
  return inPasses(count, outer * inner, x, wordOf(y), scratch, (pass, from, to) => {
    const outputs = outer * pass.parts * inner;
    const { parts, chunk } = pass;
    return {
      shader: { files: ['reduce', 'sums', 'workgroup'], constants: { KIND: kind, LANES: lanesFor(chunk) } },
      args: [from, to, outputs, pass.count, inner, parts, chunk, float(parts === 1 ? divisor : 1)],
      workgroups: outputs,
    };
  });
}

/** sqrt(sum of squares) of all elements: the norm of the norms of parts. */
export function normDispatches(x: TensorRef, y: TensorRef, scratch: Scratch): Dispatch[] {
  return inPasses(sizeOf(x.shape), 1, x, wordOf(y), scratch, ({ count, parts, chunk }, from, to) => ({
    shader: { files: ['global_norm', 'sums', 'workgroup'], constants: { LANES: 256 } },
    args: [from, to, count, parts, chunk],
    workgroups: parts,
  }));
}

const reduction = (kind: 0 | 1 | 2, divisor: (n: number) => number): Kernel<ReduceAttrs> => ({
  encode: ({ inputs: [x], outputs: [output], attrs }, { scratch }) => {
    const sizes = reduceSizes(x.shape, attrs.axes);
    return reduceDispatches(kind, sizes, x, output, scratch, divisor(sizes.count));
  },
});

const ordering = (file: string, x: TensorRef, least: boolean): Shader => ({
  files: [file, 'ordered'],
  constants: { TYPE: TYPES[x.dtype], LEAST: least ? 1 : 0 },
});

const extreme = (least: boolean): Kernel<ReduceAttrs> => {
  const ofFloats = reduction(least ? 2 : 1, () => 1);
  const ofIntegers: Kernel<ReduceAttrs> = one(({ inputs: [x], outputs: [y], attrs }) => {
    const { count: terms, inner } = reduceSizes(x.shape, attrs.axes);
    return {
      shader: ordering('extreme', x, least),
      args: [wordOf(x), wordOf(y), count(y), terms, inner],
      workgroups: each(x.dtype === 'u8' ? packed(count(y)) : count(y)),
    };
  });
  return {
    encode: (step, context) => (step.inputs[0].dtype === 'f32' ? ofFloats : ofIntegers).encode(step, context),
  };
};

const position = (least: boolean): Kernel =>
  one(({ inputs: [x], outputs: [output] }) => {
    const { rows, n } = rowsOf(x.shape);
    return {
      shader: ordering('argmax', x, least),
      args: [wordOf(x), wordOf(output), rows, n],
      workgroups: each(rows),
    };
  });

export const reduce: Kernels<typeof rows> = {
  sum: reduction(0, () => 1),
  mean: reduction(0, (n) => n),
  max: extreme(false),
  min: extreme(true),
  max_backward: one(({ inputs: [dy, x, y], outputs: [output], attrs }) => {
    const sizes = reduceSizes(x.shape, attrs.axes);
    return {
      shader: shader('max_backward'),
      args: [...[dy, x, y, output].map(wordOf), count(y), sizes.count, sizes.inner],
      workgroups: each(count(y)),
    };
  }),
  argmax: position(false),
  argmin: position(true),
  global_norm: {
    encode: ({ inputs: [x], outputs: [output] }, { scratch }) => normDispatches(x, output, scratch),
  },
};
