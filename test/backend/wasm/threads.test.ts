import { describe, expect, it } from 'vitest';
import { kernels } from '../../../src/backend/wasm/kernels.ts';
import { instantiate } from '../../../src/backend/wasm/load.ts';
import { WasmHeap } from '../../../src/backend/wasm/memory.ts';
import { encode, type Place } from '../../../src/backend/wasm/tape.ts';
import type { Plan } from '../../../src/graph/plan.ts';
import { type OpName, opNames, opOf } from '../../../src/ops/index.ts';
import { type Case, cases } from '../../cases.ts';
import { planOfCase } from '../../support/run-case.ts';

/** Every thread's share of every record, one after the other: what the threads compute together, but for the waiting. */
async function runInShares(
  plan: Plan,
  data: readonly { buffer: ArrayBufferLike; byteOffset: number; byteLength: number }[],
  threads: number,
) {
  const { memory, exports } = await shared;
  const heap = new WasmHeap(memory);
  const scratchPerThread = exports.scratchBytes();
  const scratch = heap.allocate(scratchPerThread * threads, 'scratch');
  const base = heap.allocate(plan.arenaBytes, 'arena');
  const bytes = (offset: number, length: number) => new Uint8Array(memory.buffer, base + offset, length);
  for (const c of plan.constants)
    bytes(c.offset, c.data.byteLength).set(
      new Uint8Array(c.data.buffer, c.data.byteOffset, c.data.byteLength),
    );
  data.forEach((d, i) => {
    const slot = plan.slots[`x${i}`];
    if (slot) bytes(slot.offset, d.byteLength).set(new Uint8Array(d.buffer, d.byteOffset, d.byteLength));
  });
  const extras: [number, number][] = [];
  const place: Place = {
    ...{ scratch, scratchPerThread, f32Tile: TILE, i8Tile: TILE, i8Kind: 0 as const },
    address: (t: { offset: number }) => base + t.offset,
    extra: (n: number) => {
      extras.push([heap.allocate(n, 'packed weights'), n]);
      return extras.at(-1)![0];
    },
  };
  const [step] = plan.steps;
  const kernel = kernels[step.op];
  if ('reason' in kernel) throw new Error(kernel.reason);
  for (const record of kernel.encode(step, place)) {
    const tape = encode([record]);
    const at = heap.allocate(tape.byteLength + 16, 'tape');
    new Uint32Array(memory.buffer, at, 4).set([at + 16, at + 16 + tape.byteLength, 0, 0]);
    new Uint32Array(memory.buffer, at + 16, tape.length).set(tape);
    for (let thread = 0; thread < threads; thread++) {
      // The barrier counts arrivals: this one is always the last.
      new Uint32Array(memory.buffer, at, 4).set([at + 16, at + 16 + tape.byteLength, threads - 1, 0]);
      exports.run(at, thread, threads);
    }
    heap.release(at, tape.byteLength + 16);
  }
  const written = opOf(step.op).writes?.map((i) => `x${i}`) ?? ['y'];
  const results = written
    .filter((name) => plan.slots[name])
    .map((name) => {
      const { offset, shape, dtype } = plan.slots[name];
      const length = shape.reduce((a, b) => a * b, 1) * (dtype === 'f32' || dtype === 'i32' ? 4 : 1);
      return bytes(offset, length).slice();
    });
  for (const [address, n] of extras) heap.release(address, n);
  return results;
}

const TILE: [number, number] = [5, 8];
const shared = instantiate('simd128', 1024);

describe('any number of threads computes the same bits', () => {
  for (const op of opNames.filter((name) => name !== 'reshape'))
    it(op, async () => {
      const list = cases[op as OpName] as readonly Case[];
      for (const c of list.filter((_, i) => i % 3 === 0 || list.length < 30)) {
        const { plan, data } = planOfCase(op, c);
        const alone = await runInShares(plan, data, 1);
        for (const threads of [2, 3, 5])
          expect(await runInShares(plan, data, threads), JSON.stringify(c)).toEqual(alone);
      }
    });
});
