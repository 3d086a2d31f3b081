import { kernelOf } from '../../../src/backend/wasm/kernels/index.ts';
import type { WasmInstance } from '../../../src/backend/wasm/load.ts';
import { WasmHeap } from '../../../src/backend/wasm/memory.ts';
import { encode, type Place } from '../../../src/backend/wasm/tape.ts';
import { bytesPerElement, type TypedArray } from '../../../src/core/dtype.ts';
import { sizeOf } from '../../../src/core/shape.ts';
import type { Plan } from '../../../src/graph/plan.ts';

/** What a test forces: the backend would choose by itself. */
export interface Forced extends Pick<Place, 'f32Tile' | 'i8Tile' | 'i8Kind'> {
  readonly threads: number;
}

/**
 * Runs a plan of one step (planOfCase) with tiles and threads forced, and gives the bytes of its results. Every thread's
 * share of every record runs one after the other: what threads compute together, but for the waiting.
 */
export function runStep(
  { memory, exports }: WasmInstance,
  plan: Plan,
  data: readonly TypedArray[],
  { threads, ...tiles }: Forced,
): Uint8Array[] {
  const heap = new WasmHeap(memory);
  const scratchPerThread = exports.scratchBytes();
  const scratch = heap.allocate(scratchPerThread * threads, 'scratch');
  const base = heap.allocate(plan.arenaBytes, 'arena');
  const control = heap.allocate(128, 'control block');
  const bytes = (offset: number, length: number) => new Uint8Array(memory.buffer, base + offset, length);
  const put = (offset: number, d: TypedArray) =>
    bytes(offset, d.byteLength).set(new Uint8Array(d.buffer, d.byteOffset, d.byteLength));
  for (const c of plan.constants) put(c.offset, c.data);
  data.forEach((d, i) => {
    const slot = plan.slots[`x${i}`];
    if (slot) put(slot.offset, d);
  });
  const place: Place = {
    ...{ scratch, scratchPerThread, ...tiles },
    address: (t) => base + t.offset,
    extra: (n) => heap.allocate(n, 'packed weights'),
    lend: (n) => heap.allocate(n, 'loan'),
  };
  const [step] = plan.steps;
  const kernel = kernelOf(step.op);
  if ('reason' in kernel) throw new Error(kernel.reason);
  for (const record of kernel.encode(step, place)) {
    const tape = encode([record]);
    const at = heap.allocate(tape.byteLength, 'tape');
    new Uint32Array(memory.buffer, at, tape.length).set(tape);
    for (let thread = 0; thread < threads; thread++) {
      // The barrier counts arrivals: this one is always the last.
      new Uint32Array(memory.buffer, control + 64, 1)[0] = threads - 1;
      exports.run(at, at + tape.byteLength, thread, threads, control, -1);
    }
  }
  return step.outputs.map(({ offset, shape, dtype }) =>
    bytes(offset, sizeOf(shape) * bytesPerElement[dtype]).slice(),
  );
}
