import type { GrowingTape, Ranges } from './growing.ts';
import type { ThreadPool } from './pool.ts';

/** A tape in memory, and for how many rows its words are now. */
export class RunningTape {
  readonly ranges: Ranges;
  /** The threads it is run by; undefined for the caller's alone. */
  readonly pool: ThreadPool | undefined;
  /** Fewest rows that it is taken for. */
  readonly least: number;
  /** Byte address of its first word. */
  readonly address: number;
  private readonly patches: Uint32Array;
  private rows = 0;

  constructor(
    memory: WebAssembly.Memory,
    { words, patches, ranges }: GrowingTape,
    address: number,
    least: number,
    pool: ThreadPool | undefined,
  ) {
    this.ranges = new Map([...ranges].map(([name, [from, to]]) => [name, [address + from, address + to]]));
    this.address = address;
    this.patches = patches;
    this.least = least;
    this.pool = pool;
    new Uint32Array(memory.buffer, address, words.length).set(words);
  }

  /** Makes it a tape for so many rows. No thread may be walking it. */
  growTo(rows: number, words: Uint32Array): void {
    const more = rows - this.rows;
    if (more === 0) return;
    const { patches } = this;
    for (let p = 0; p < patches.length; p += 2)
      words[(this.address + patches[p]) / 4] += patches[p + 1] * more;
    this.rows = rows;
  }
}
