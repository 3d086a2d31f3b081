/**
 * What JSON has no number for is a text, as in Protocol Buffers' mapping to JSON: "NaN", "Infinity", "-Infinity". `Number()` in
 * JavaScript and `float()` in Python read them back.
 */
export const jsonNumber = (x: number): number | string => (Number.isFinite(x) ? x : String(x));

/** Values as JSON can say them. */
export function jsonNumbers(values: ArrayLike<number>): (number | string)[] {
  return Array.from(values, jsonNumber);
}
