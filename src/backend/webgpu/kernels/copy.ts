import { bytesPerElement } from '../../../core/dtype.ts';
import { sizeOf } from '../../../core/shape.ts';
import type { Operands, TensorRef } from '../../../graph/plan.ts';
import type { StridedCopy } from '../../../ops/layout.ts';
import { copyWalk } from '../../strides.ts';
import { type Dispatch, float, type Word, wordOf } from '../record.ts';
import { each, eight, type Kernel, one, packed } from './kernel.ts';

/** Repeats a value over a tensor's words. */
export function fillDispatch(t: TensorRef, value: number): Dispatch {
  const bytes = bytesPerElement[t.dtype] === 1;
  const words = bytes ? packed(sizeOf(t.shape)) : sizeOf(t.shape);
  const word: Word = t.dtype === 'f32' ? float(value) : bytes ? (value & 0xff) * 0x01010101 : value;
  return { shader: { files: ['fill'] }, args: [wordOf(t), words, word], workgroups: each(words) };
}

export function copyDispatch(source: TensorRef, target: TensorRef, copy: StridedCopy): Dispatch {
  const { dims, strides } = copyWalk(copy);
  const n = sizeOf(copy.shape);
  const walk = [...eight(dims), ...eight(strides[0]), ...eight(strides[1])];
  if (bytesPerElement[source.dtype] === 4)
    return {
      shader: { files: ['strided_copy'] },
      args: [wordOf(source) + copy.sourceOffset, wordOf(target) + copy.targetOffset, n, dims.length, ...walk],
      workgroups: each(n),
    };
  const whole = n === sizeOf(target.shape);
  return {
    shader: { files: ['strided_copy_bytes'], constants: { SERIAL: whole ? 0 : 1 } },
    args: [wordOf(source), wordOf(target), n, dims.length, ...walk, copy.sourceOffset, copy.targetOffset],
    workgroups: whole ? each(packed(n)) : Math.min(n, 1),
  };
}

/** Words between any two strided places, which begin at these words. */
export const copyWords = (
  x: number,
  y: number,
  dims: readonly number[],
  stridesX: readonly number[],
  stridesY: readonly number[],
): Dispatch => {
  const n = dims.reduce((a, b) => a * b, 1);
  return {
    shader: { files: ['strided_copy'] },
    args: [x, y, n, dims.length, ...eight(dims), ...eight(stridesX), ...eight(stridesY)],
    workgroups: each(n),
  };
};

/** An op that is one strided copy. */
export const copies = <A extends object>(copy: (step: Operands<A>) => StridedCopy): Kernel<A> =>
  one((step) => copyDispatch(step.inputs[0], step.outputs[0], copy(step)));
