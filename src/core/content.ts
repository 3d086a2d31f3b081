/** Comparing values by their bits. */
import type { TypedArray } from './dtype.ts';

/** A number made from the values' bits: the same for the same bits, almost always another for others. */
export function contentKey(values: Float32Array): number {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  // Two multiplicative hashes side by side (the constants are odd numbers of well-mixed bits), 53 bits in all.
  let a = 0x9e3779b9 ^ values.length;
  let b = 0x85ebca6b;
  for (let i = 0; i < words.length; i++) {
    a = Math.imul(a ^ words[i], 0x01000193);
    a ^= a >>> 15;
    b = Math.imul(b + words[i], 0xc2b2ae35);
    b ^= b >>> 13;
  }
  return (a >>> 0) * 2 ** 21 + ((b >>> 0) >>> 11);
}

/** One number made from the bits of several arrays; of one array, its own. */
export function contentKeyOf(arrays: readonly TypedArray[]): number {
  if (arrays.length === 1) return contentKey(asWords(arrays[0]));
  const keys = new Float64Array(arrays.length).map((_, i) => contentKey(asWords(arrays[i])));
  return contentKey(new Float32Array(keys.buffer));
}

/** The same bits as f32 values; those of bytes that fill no whole one, or lie between, in a copy. */
function asWords(values: TypedArray): Float32Array {
  if (values instanceof Float32Array) return values;
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const whole = bytes.byteLength % 4 === 0 && bytes.byteOffset % 4 === 0;
  if (whole) return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const copy = new Uint8Array(Math.ceil(bytes.byteLength / 4) * 4);
  copy.set(bytes);
  return new Float32Array(copy.buffer);
}

/** Whether arrays hold the same bits, one by one. */
export const sameBitsEach = (xs: readonly TypedArray[], ys: readonly TypedArray[]): boolean =>
  xs.length === ys.length &&
  xs.every((x, i) => x.length === ys[i].length && sameBits(asWords(x), asWords(ys[i])));

/** Whether two arrays hold the same bits; -0 is not 0 here, and NaN is itself. */
export function sameBits(x: Float32Array, y: Float32Array): boolean {
  if (x.length !== y.length) return false;
  const [a, b] = [x, y].map((v) => new Uint32Array(v.buffer, v.byteOffset, v.length));
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
