/** Positions by their number, numbers ascending. */
export function byNumber(length: number, numbers: ArrayLike<number> | undefined): number[][] {
  const sets = new Map<number, number[]>();
  for (let i = 0; i < length; i++) {
    const of = numbers ? numbers[i] : 0;
    sets.get(of)?.push(i) ?? sets.set(of, [i]);
  }
  return [...sets.entries()].sort(([a], [b]) => a - b).map(([, set]) => set);
}
