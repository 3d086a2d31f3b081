import { allocate, type DType, type TypedArray } from '../../src/core/dtype.ts';
import { Random } from '../../src/core/random.ts';
import { type Shape, sizeOf } from '../../src/core/shape.ts';
import { below, bytes, constantly, type Fill, fills, normal, weights } from './fill.ts';

/** A tensor of a case: its type, and the values it begins with. */
export interface TensorSpec {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly fill: Fill;
}

export const f32 = (shape: Shape, fill: Fill = normal): TensorSpec => ({ dtype: 'f32', shape, fill });
export const i32 = (shape: Shape, fill: Fill): TensorSpec => ({ dtype: 'i32', shape, fill });
export const u8 = (shape: Shape, fill: Fill = bytes): TensorSpec => ({ dtype: 'u8', shape, fill });
export const i8 = (shape: Shape, fill: Fill = weights): TensorSpec => ({ dtype: 'i8', shape, fill });

/**
 * A tensor in words: its dtype, its sizes (none: a scalar), and what fills it where that is not the usual for its dtype:
 * a name of `fills`, `<7` for whole numbers from 0 up to but not 7, `=1,-2` for these values again and again.
 */
export type TensorText = DType | `${DType} ${string}`;

const usual: Partial<Record<DType, Fill>> = { f32: normal, u8: bytes, i8: weights };

/** Reads `'f32 7x5'`, `'u8 3x4 zeros'`, `'i32 9 <7'`, `'f32 =0.5'`. Throws where a text says something else. */
export function tensor(text: TensorText): TensorSpec {
  const [dtype, ...words] = text.trim().split(/ +/) as [DType, ...string[]];
  const shape = /^\d+(x\d+)*$/.test(words[0] ?? '') ? words.shift()!.split('x').map(Number) : [];
  const fill = words.length ? fillOf(words.join(' ')) : usual[dtype];
  if (!fill) throw new Error(`'${text}' is no tensor: its dtype, its sizes and its fill are`);
  return { dtype, shape, fill };
}

function fillOf(word: string): Fill | undefined {
  if (/^<\d+$/.test(word)) return below(Number(word.slice(1)));
  if (/^=(NaN|-?Infinity|[-+.\de,])+$/.test(word)) return constantly(...word.slice(1).split(',').map(Number));
  return fills[word as keyof typeof fills];
}

/** The values of a tensor; the same for the same seed. */
export function make({ dtype, shape, fill }: TensorSpec, seed: number): TypedArray {
  const data = allocate(dtype, sizeOf(shape));
  const random = new Random(seed);
  for (let i = 0; i < data.length; i++) data[i] = fill(i, random);
  return data;
}
