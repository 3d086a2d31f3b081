import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { inspectWasm } from '../../../scripts/inspect-wasm.ts';
import { chooseBuild } from '../../../src/backend/wasm/load.ts';
import { encode, float } from '../../../src/backend/wasm/tape.ts';
import * as opcode from '../../../src/generated/opcodes.ts';

const ROWS = 10;
const COLUMNS = 100;
const N = ROWS * COLUMNS;
/** Byte addresses: the range, its tape, and two arrays of N floats. */
const [RANGE, TAPE, X, Y] = [64, 128, 65536, 131072];
const RUNS = 300;

/** Doubles x, turns the order of its rows around, halves it: records that read what other threads wrote before. */
function writeTape(memory: WebAssembly.Memory): void {
  const lastRow = Y + (ROWS - 1) * COLUMNS * 4;
  const turn = [lastRow, X, 4, 2, ROWS, ROWS, COLUMNS, -COLUMNS, 1, COLUMNS, 1];
  const records = Array.from({ length: 20 }, () => [
    { opcode: opcode.BINARY, words: [opcode.ADD, X, X, Y, 1, 1, N, 1, 1] },
    { opcode: opcode.STRIDED_COPY, words: turn },
    { opcode: opcode.SCALE, words: [X, X, N, float(0.5)] },
  ]).flat();
  const tape = encode(records);
  new Uint32Array(memory.buffer, RANGE, 4).set([TAPE, TAPE + tape.byteLength, 0, 0]);
  new Uint32Array(memory.buffer, TAPE, tape.length).set(tape);
  new Float32Array(memory.buffer, X, N).forEach((_, i, x) => {
    x[i] = i;
  });
}

const worker = `
  const { workerData } = require('node:worker_threads');
  const { module, memory, thread, threads, range, runs } = workerData;
  const { run } = new WebAssembly.Instance(module, { env: { memory } }).exports;
  for (let i = 0; i < runs; i++) run(range, thread, threads);
`;

/** Runs the tape on real threads that share one memory, each RUNS times, with nothing but the barrier between them. */
async function runOn(threads: number): Promise<number[]> {
  const { bytes } = chooseBuild('simd128');
  bytes[inspectWasm(bytes).memoryFlagsAt] = 3; // the import is a shared memory
  const module = new WebAssembly.Module(bytes);
  const memory = new WebAssembly.Memory({ initial: 4, maximum: 65536, shared: true });
  writeTape(memory);
  const exits = Array.from({ length: threads }, (_, thread) => {
    const workerData = { module, memory, thread, threads, range: RANGE, runs: RUNS };
    return new Promise<void>((resolve, reject) => {
      const w = new Worker(worker, { eval: true, workerData });
      w.on('error', reject);
      w.on('exit', () => resolve());
    });
  });
  await Promise.all(exits);
  return [...new Float32Array(memory.buffer, X, N)];
}

describe('the barrier between records', () => {
  it('keeps real threads in step', async () => {
    const alone = await runOn(1);
    expect(alone[1]).toBe(1);
    for (const threads of [2, 3]) expect(await runOn(threads)).toEqual(alone);
  });
});
