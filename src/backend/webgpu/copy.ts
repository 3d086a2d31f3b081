import { bytesPerElement } from '../../core/dtype.ts';
import { sizeOf } from '../../core/shape.ts';
import type { Operands, TensorRef } from '../../graph/plan.ts';
import {
  type ConcatAttrs,
  concatCopies,
  type SliceAttrs,
  type StridedCopy,
  sliceBackwardCopy,
} from '../../ops/layout.ts';
import { copyWalk } from '../strides.ts';
import { type Dispatch, float, type Word, wordOf } from './record.ts';

/** Words that hold n bytes. */
export const packed = (n: number): number => Math.ceil(n / 4);

const eight = (values: readonly number[]): number[] => Array.from({ length: 8 }, (_, i) => values[i] ?? 0);

/** Repeats a value over a tensor's words. */
export function fillDispatch(t: TensorRef, value: number): Dispatch {
  const bytes = bytesPerElement[t.dtype] === 1;
  const words = bytes ? packed(sizeOf(t.shape)) : sizeOf(t.shape);
  const word: Word = t.dtype === 'f32' ? float(value) : bytes ? (value & 0xff) * 0x01010101 : value;
  return { shader: { files: ['fill'] }, args: [wordOf(t), words, word], workgroups: Math.ceil(words / 64) };
}

function copyDispatch(source: TensorRef, target: TensorRef, copy: StridedCopy): Dispatch {
  const { dims, strides } = copyWalk(copy);
  const n = sizeOf(copy.shape);
  const walk = [...eight(dims), ...eight(strides[0]), ...eight(strides[1])];
  if (bytesPerElement[source.dtype] === 4)
    return {
      shader: { files: ['strided_copy'] },
      args: [wordOf(source) + copy.sourceOffset, wordOf(target) + copy.targetOffset, n, dims.length, ...walk],
      workgroups: Math.ceil(n / 64),
    };
  const whole = n === sizeOf(target.shape);
  return {
    shader: { files: ['strided_copy_bytes'], constants: { SERIAL: whole ? 0 : 1 } },
    args: [wordOf(source), wordOf(target), n, dims.length, ...walk, copy.sourceOffset, copy.targetOffset],
    workgroups: whole ? Math.ceil(packed(n) / 64) : Math.min(n, 1),
  };
}

/** An op that is one strided copy. */
export const copies = <A extends object>(copy: (step: Operands<A>) => StridedCopy) => ({
  encode: (step: Operands<A>) => [copyDispatch(step.inputs[0], step.outputs[0], copy(step))],
});

export const sliceBackwardKernel = {
  encode: ({ inputs: [dy], outputs: [output], attrs }: Operands<SliceAttrs>) => [
    fillDispatch(output, 0),
    copyDispatch(dy, output, sliceBackwardCopy(output, attrs)),
  ],
};

export const concatKernel = {
  encode: ({ inputs, outputs: [output], attrs }: Operands<ConcatAttrs>) =>
    concatCopies(inputs, output, attrs).map((c, i) => copyDispatch(inputs[i], output, c)),
};
