/** real = (q - zeroPoint) * scale. The scale is a normal f32. */
export interface QuantAttrs {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** What the numbers of a u8 result stand for. Kernels compute the same without knowing; reports tell people. */
export interface Reported {
  readonly stands?: QuantAttrs;
}

/**
 * acc * multiplier / 2^shift, rounded to the nearest whole number, halves away from zero, exactly.
 *
 * acc is int32, 0 <= multiplier < 2^31, 17 <= shift <= 62. The 64-bit product doesn't fit a double, so it is
 * split at 16 bits: acc * multiplier = high * 2^16 + low. Subtracting 1 from the product where it is negative
 * turns "add half and floor" (half up) into half away from zero.
 */
export function requantize(acc: number, multiplier: number, shift: number): number {
  const high = acc * Math.floor(multiplier / 65536);
  const low = acc * (multiplier % 65536) - (acc < 0 ? 1 : 0);
  return Math.floor((high + Math.floor(low / 65536) + 2 ** (shift - 17)) / 2 ** (shift - 16));
}
