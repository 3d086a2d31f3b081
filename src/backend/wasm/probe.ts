import { probeDot as record } from '../../generated/records.ts';
import type { WasmExports } from './load.ts';
import type { WasmHeap } from './memory.ts';
import { encode } from './tape.ts';

/** sum + products of four signed and four unsigned bytes in each of four lanes, as an engine does it. */
export type Dot = (w: Int8Array, x: Uint8Array, sum: Int32Array) => Int32Array;

/** Pairs that tell the known behaviours apart: values above 127, and sums of two that don't fit 16 bits. */
const vectors: readonly { w: number[]; x: number[] }[] = [
  { w: [1, 2, 3, 4], x: [5, 6, 7, 8] },
  { w: [-1, -2, -3, -4], x: [127, 127, 127, 127] },
  { w: [1, 1, 1, 1], x: [128, 200, 255, 129] },
  { w: [127, 127, 127, 127], x: [255, 255, 255, 255] },
  { w: [-127, -127, -127, -127], x: [255, 255, 255, 255] },
  { w: [127, -127, 127, -127], x: [255, 1, 255, 3] },
  { w: [-128, -128, -128, -128], x: [255, 255, 255, 255] },
];

/**
 * Whether a relaxed dot is exact for unsigned x up to 255. Engines differ (some take x as signed, some saturate sums of
 * pairs at 16 bits), so nothing is assumed by name: every vector must come out right, in every lane, with any sum.
 */
export function isExactUnsigned(dot: Dot): boolean {
  for (let first = 0; first < vectors.length; first++) {
    // A different vector in each lane, and a different start.
    const lanes = [0, 1, 2, 3].map((i) => vectors[(first + i) % vectors.length]);
    const sum = Int32Array.of(0, -5, 1_000_000_007, -2_000_000_000);
    const want = sum.map((s, i) => s + lanes[i].w.reduce((t, w, k) => t + w * lanes[i].x[k], 0));
    const got = dot(
      Int8Array.from(lanes.flatMap((l) => l.w)),
      Uint8Array.from(lanes.flatMap((l) => l.x)),
      sum,
    );
    if (want.some((v, i) => v !== got[i])) return false;
  }
  return true;
}

/** Runs the probe on a module's own instruction. */
export function probeDot(exports: WasmExports, heap: WasmHeap): boolean {
  const BYTES = 256;
  const base = heap.allocate(BYTES, 'the probe');
  const dot: Dot = (w, x, sum) => {
    const { buffer } = heap.memory;
    new Int8Array(buffer, base, 16).set(w);
    new Uint8Array(buffer, base + 16, 16).set(x);
    new Int32Array(buffer, base + 32, 4).set(sum);
    const tape = encode([record({ w: base, x: base + 16, sum: base + 32 })]);
    new Uint32Array(buffer, base + 64, tape.length).set(tape);
    exports.run(base + 64, base + 64 + tape.byteLength, 0, 1, 0, 0);
    return new Int32Array(buffer, base + 32, 4).slice();
  };
  const exact = isExactUnsigned(dot);
  heap.release(base, BYTES);
  return exact;
}
