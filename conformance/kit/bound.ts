import type { Value } from '../../src/ops/op.ts';

/** Half a unit in the last place of 1. */
export const EPS = 2 ** -24;
/** Results nearer to zero than the smallest normal f32 may be flushed to zero. */
export const TINY = 2 ** -126;

/** How far a backend may be from the reference: abs + rel * |reference|, per element. What docs/NUMERICS.md promises. */
export interface Bound {
  /** Where it depends on the inputs it is a function of them. */
  readonly abs: number | ((inputs: readonly Value[], attrs: object, i: number) => number);
  readonly rel: number;
}

/** The absolute part of a bound, as a function of the inputs. */
export type Abs = Extract<Bound['abs'], (...given: never[]) => number>;

export const exact: Bound = { abs: 0, rel: 0 };
export const close = (ulps: number, abs = 0): Bound => ({ abs: abs + TINY, rel: ulps * 2 * EPS });

/** What is computed once from an op's inputs, for the bounds of all of its elements. */
export function oncePer<K extends object, Rest extends unknown[], T>(compute: (key: K, ...rest: Rest) => T) {
  const known = new WeakMap<K, T>();
  return (key: K, ...rest: Rest): T => {
    if (!known.has(key)) known.set(key, compute(key, ...rest));
    return known.get(key)!;
  };
}

/** The largest of a tensor's finite values, without signs. */
export const magnitude = oncePer((x: Value) => {
  let most = 0;
  for (const v of x.data) if (Number.isFinite(v)) most = Math.max(most, Math.abs(v));
  return most;
});

/** (32 + 4 log2 n) 2^-24 of the sum of what is summed, without its signs. */
export const roundings = (n: number) => (32 + 4 * Math.log2(Math.max(1, n))) * EPS;

export const rowLength = (x: Value) => x.shape.at(-1) ?? 1;

/** What is subtracted from the largest of a row, and summed over it; `position`: of the logits among the inputs. */
export const logits =
  (position: number): Abs =>
  (inputs) => {
    const x = inputs[position];
    const scale = position === 1 ? magnitude(inputs[0]) : 1;
    return scale * (4 * roundings(rowLength(x)) + 4 * EPS * magnitude(x)) + TINY;
  };

/** An absolute error of the derivative, times dy. */
export const timesDy =
  (abs: number): Abs =>
  ([dy], _, i) =>
    Number.isFinite(dy.data[i]) ? abs * Math.max(1, Math.abs(dy.data[i])) : TINY;
