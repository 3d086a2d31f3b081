/** Comparing values by their bits. */

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

/** Whether two arrays hold the same bits; -0 is not 0 here, and NaN is itself. */
export function sameBits(x: Float32Array, y: Float32Array): boolean {
  if (x.length !== y.length) return false;
  const [a, b] = [x, y].map((v) => new Uint32Array(v.buffer, v.byteOffset, v.length));
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
