import { describe, expect, it } from 'vitest';
import { instantiate } from '../../../src/backend/wasm/load.ts';
import { WasmHeap } from '../../../src/backend/wasm/memory.ts';
import { ThreadPool } from '../../../src/backend/wasm/pool.ts';
import { encode } from '../../../src/backend/wasm/tape.ts';
import * as records from '../../../src/generated/records.ts';

const ROWS = 10;
const COLUMNS = 100;
const N = ROWS * COLUMNS;
const RUNS = 300;

/** Doubles x, turns the order of its rows around, halves it: records that read what other threads wrote before. */
function tapeOf(x: number, y: number): Uint32Array {
  const lastRow = y + (ROWS - 1) * COLUMNS * 4;
  const strides = { stridesX: [-COLUMNS, 1], stridesY: [COLUMNS, 1] };
  const turns = Array.from({ length: 20 }, () => [
    records.binary({ kind: 'add', a: x, b: x, y, outer: 1, dims: [N], stridesA: [1], stridesB: [1] }),
    records.stridedCopy({ x: lastRow, y: x, size: 4, outer: ROWS, dims: [ROWS, COLUMNS], ...strides }),
    records.scale({ x, y: x, count: N, factor: 0.5 }),
  ]);
  return encode(turns.flat());
}

/** Runs the tape RUNS times on real threads that share one memory, with nothing but the barrier between them. */
async function runOn(threads: number): Promise<number[]> {
  const instance = await instantiate({ build: 'simd128', pages: 4, shared: true });
  const heap = new WasmHeap(instance.memory);
  const [x, y] = [heap.allocate(N * 4, 'x'), heap.allocate(N * 4, 'y')];
  const tape = tapeOf(x, y);
  const begin = heap.allocate(tape.byteLength, 'tape');
  const end = begin + tape.byteLength;
  const { buffer } = instance.memory;
  new Uint32Array(buffer, begin, tape.length).set(tape);
  new Float32Array(buffer, x, N).forEach((_, i, values) => {
    values[i] = i;
  });
  const pool = new ThreadPool(instance, heap, threads);
  await pool.start();
  for (let i = 0; i < RUNS; i++) await pool.run(begin, end);
  pool.dispose();
  return [...new Float32Array(buffer, x, N)];
}

describe('the barrier between records', () => {
  it('keeps real threads in step', async () => {
    const alone = await runOn(1);
    expect(alone[1]).toBe(1);
    for (const threads of [2, 3]) expect(await runOn(threads)).toEqual(alone);
  });
});
