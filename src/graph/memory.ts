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
  const order = lifetimes.map((_, i) => i).sort((a, b) => lifetimes[b].bytes - lifetimes[a].bytes || a - b);
  const placed = new Blocks(lifetimes.length);
  let total = 0;
  for (const i of order) {
    const { bytes } = lifetimes[i];
    const at = placed.lowestFor(lifetimes[i]);
    offsets[i] = at;
    total = Math.max(total, at + bytes);
    placed.add(at, alignUp(at + bytes, alignment), lifetimes[i]);
  }
  return { offsets, total };
}

/** Blocks in the order of their offsets. Plain columns: a plan of thousands of tensors compares millions of pairs. */
class Blocks {
  private count = 0;
  private readonly from: Float64Array;
  private readonly to: Float64Array;
  private readonly first: Int32Array;
  private readonly last: Int32Array;

  constructor(most: number) {
    this.from = new Float64Array(most);
    this.to = new Float64Array(most);
    this.first = new Int32Array(most);
    this.last = new Int32Array(most);
  }

  /** The lowest offset where nothing that lives at the same time is in the way. */
  lowestFor({ bytes, first, last }: Lifetime): number {
    const { count, from, to, first: firsts, last: lasts } = this;
    let at = 0;
    for (let j = 0; j < count; j++) {
      if (lasts[j] < first || firsts[j] > last) continue;
      if (from[j] - at >= bytes) break;
      if (to[j] > at) at = to[j];
    }
    return at;
  }

  add(from: number, to: number, { first, last }: Lifetime): void {
    let [low, high] = [0, this.count];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.from[middle] <= from) low = middle + 1;
      else high = middle;
    }
    for (const column of [this.from, this.to, this.first, this.last])
      column.copyWithin(low + 1, low, this.count);
    this.from[low] = from;
    this.to[low] = to;
    this.first[low] = first;
    this.last[low] = last;
    this.count++;
  }
}

export const alignUp = (n: number, alignment: number): number => Math.ceil(n / alignment) * alignment;
