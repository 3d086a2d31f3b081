import { bytesPerElement } from '../../core/dtype.ts';
import { sizeOf } from '../../core/shape.ts';
import type { Step, TensorRef } from '../../graph/plan.ts';
import {
  broadcastCopy,
  type ConcatAttrs,
  concatCopies,
  type StridedCopy,
  sliceBackwardCopy,
  sliceCopy,
  transposeCopy,
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

const plans = {
  copy: ({ inputs: [x] }: Step) => transposeCopy(x, { perm: x.shape.map((_, i) => i) }),
  transpose: ({ inputs: [x], attrs }: Step) => transposeCopy(x, attrs as never),
  slice: ({ inputs: [x], attrs }: Step) => sliceCopy(x, attrs as never),
  broadcast: ({ inputs: [x], outputs: [output] }: Step) => broadcastCopy(x, output),
};

/** An op that is one strided copy. */
export const copyKernel = (op: keyof typeof plans) => ({
  encode: (step: Step) => [copyDispatch(step.inputs[0], step.outputs[0], plans[op](step))],
});

export const sliceBackwardKernel = {
  encode: ({ inputs: [dy], outputs: [output], attrs }: Step) => [
    fillDispatch(output, 0),
    copyDispatch(dy, output, sliceBackwardCopy(output, attrs as never)),
  ],
};

export const concatKernel = {
  encode: ({ inputs, outputs: [output], attrs }: Step) =>
    concatCopies(inputs, output, attrs as ConcatAttrs).map((c, i) => copyDispatch(inputs[i], output, c)),
};
