/** Bytes that must exist from step `first` to step `last`, both included. */
export interface Lifetime {
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

export interface Placement {
  /** One offset for each lifetime. */
  readonly offsets: readonly number[];
  /** Size of the arena that holds them all. */
  readonly total: number;
}

/**
 * Places lifetimes in one arena so that no two that overlap in time overlap in memory: largest first,
 * each at the lowest offset where it fits (greedy by size; Pisarchyk & Lee 2020).
 */
export function placeByLiveness(lifetimes: readonly Lifetime[], alignment: number): Placement {
  const offsets = new Array<number>(lifetimes.length).fill(0);
  const placed: number[] = [];
  const order = lifetimes.map((_, i) => i).sort((a, b) => lifetimes[b].bytes - lifetimes[a].bytes || a - b);
  let total = 0;
  for (const i of order) {
    const { bytes, first, last } = lifetimes[i];
    let at = 0;
    for (const j of placed) {
      const other = lifetimes[j];
      if (other.last < first || other.first > last) continue;
      if (offsets[j] - at >= bytes) break;
      at = Math.max(at, alignUp(offsets[j] + other.bytes, alignment));
    }
    offsets[i] = at;
    total = Math.max(total, at + bytes);
    placed.push(i);
    placed.sort((a, b) => offsets[a] - offsets[b]);
  }
  return { offsets, total };
}

export const alignUp = (n: number, alignment: number): number => Math.ceil(n / alignment) * alignment;
