import { bytesPerElement } from '../../../core/dtype.ts';
import { fill, type TapeRecord } from '../../../generated/records.ts';
import type { TensorRef } from '../../../graph/plan.ts';
import { type At, count } from './kernel.ts';

/** Repeats a value over a tensor's memory. */
export function fillRecord(y: TensorRef, value: number, at: At): TapeRecord {
  const size = bytesPerElement[y.dtype];
  return fill({ ...at({ y }), bytes: count(y) * size, word: wordOf(y, value) });
}

/** The bits of a word of them. */
function wordOf({ dtype }: TensorRef, value: number): number {
  if (dtype === 'f32') return new Uint32Array(Float32Array.of(value).buffer)[0];
  return dtype === 'i32' ? value : (value & 0xff) * 0x01010101;
}
