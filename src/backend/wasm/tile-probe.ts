import { probeTile } from '../../generated/records.ts';
import type { WasmInstance } from './load.ts';
import type { WasmHeap } from './memory.ts';
import { encode } from './tape.ts';
import { type I8Kind, type TileShape, tileShapes } from './tiles.ts';

/** A micro-kernel: a tile of f32 products, or of int8 products computed in one of two ways. */
export interface Candidate {
  readonly type: 'f32' | 'i8';
  readonly tile: TileShape;
  readonly i8Kind: I8Kind;
}

/** K of the timed products: operands of every tile fit the L1 cache. */
const DEPTH = 256;
const WORDS = (6 + 16) * (DEPTH + 6);
const PROBE_F32 = 0;
const PROBE_WIDE = 1;
const PROBE_BYTES = 2;
/** Terms of K in one word of an operand, by kind. */
const TERMS = [1, 2, 4];
/** K, in words, of a check: loops that were unrolled have a rest. */
const CHECKED = 13;

const kindOf = ({ type, i8Kind }: Candidate): number =>
  type === 'f32' ? PROBE_F32 : i8Kind ? PROBE_BYTES : PROBE_WIDE;

export function candidates(exact: boolean): Candidate[] {
  const f32 = tileShapes.f32.map((tile): Candidate => ({ type: 'f32', tile, i8Kind: 0 }));
  const kinds: I8Kind[] = exact ? [0, 1] : [0];
  return [
    ...f32,
    ...kinds.flatMap((i8Kind) => tileShapes.i8.map((tile): Candidate => ({ type: 'i8', tile, i8Kind }))),
  ];
}

/** Runs bare tiles of a module: over zeros to time them, over known numbers to check them. */
export class TileProbe {
  private readonly instance: WasmInstance;
  private readonly heap: WasmHeap;
  private readonly operands: number;
  private readonly tape: number;

  constructor(instance: WasmInstance, heap: WasmHeap) {
    this.instance = instance;
    this.heap = heap;
    this.operands = heap.allocate(WORDS * 4, 'timing the tiles');
    this.tape = heap.allocate(64, 'timing the tiles');
  }

  /** Billions of operations per second over about this many operations; Infinity where the clock did not move. */
  rate(candidate: Candidate, operations: number): number {
    const [rows, columns] = candidate.tile;
    const each = 2 * rows * columns * DEPTH;
    const repeats = Math.max(1, Math.round(operations / each));
    const begin = performance.now();
    this.run(candidate, DEPTH / TERMS[kindOf(candidate)], repeats);
    return (each * repeats) / (performance.now() - begin) / 1e6;
  }

  /**
   * Whether a tile gives every sum that plain arithmetic gives, over small whole numbers, which no order of adding and no fused
   * multiplication rounds. Each operand and each start has a value of its own, so a lane in the wrong place shows.
   */
  isRight(candidate: Candidate): boolean {
    const [rows, columns] = candidate.tile;
    const kind = kindOf(candidate);
    const terms = TERMS[kind];
    const left = rows * CHECKED;
    const right = columns * CHECKED;
    const numbers = Int32Array.from(
      { length: (left + right) * terms },
      (_, i) => ((i * 37 + (i >> 5)) % 127) - 63,
    );
    // A relaxed dot takes x, on the left, as unsigned.
    for (let i = 0; i < left * terms; i++) if (kind === PROBE_BYTES) numbers[i] += 64;
    const start = Int32Array.from({ length: rows * columns }, (_, i) => i * 11 - 300);
    const Kind = [Float32Array, Int16Array, Int8Array][kind];
    const Sums = kind === PROBE_F32 ? Float32Array : Int32Array;
    const memory = this.heap.memory.buffer;
    new Kind(memory, this.operands, numbers.length).set(numbers);
    const sums = new Sums(memory, this.operands + (left + right) * 4, start.length);
    sums.set(start);
    this.run(candidate, CHECKED, 1);
    const wrong = start.findIndex((from, at) => {
      let sum = from;
      for (let k = 0; k < CHECKED; k++)
        for (let t = 0; t < terms; t++)
          sum +=
            numbers[(k * rows + Math.floor(at / columns)) * terms + t] *
            numbers[(left + k * columns + (at % columns)) * terms + t];
      // A row is added to an f32 tile at the end: what its first operand begins with.
      return sums[at] !== (kind === PROBE_F32 ? sum + numbers[at % columns] : sum);
    });
    new Uint8Array(memory, this.operands, WORDS * 4).fill(0);
    return wrong < 0;
  }

  private run(candidate: Candidate, length: number, repeats: number): void {
    const [tileRows, tileColumns] = candidate.tile;
    const probe = { kind: kindOf(candidate), tileRows, tileColumns, length, repeats, memory: this.operands };
    const record = encode([probeTile(probe)]);
    new Uint32Array(this.heap.memory.buffer, this.tape, record.length).set(record);
    this.instance.exports.run(this.tape, this.tape + record.byteLength, 0, 1, 0, 0);
  }

  dispose(): void {
    this.heap.release(this.operands, WORDS * 4);
    this.heap.release(this.tape, 64);
  }
}
