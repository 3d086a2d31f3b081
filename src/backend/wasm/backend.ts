import { allocate, type TypedArray, viewOf } from '../../core/dtype.ts';
import { fail } from '../../core/errors.ts';
import { sizeOf } from '../../core/shape.ts';
import type { Plan, Section, Slot, Step } from '../../graph/plan.ts';
import type { Backend, Program, Unsupported } from '../backend.ts';
import { checkSlot, checkSlotArray, ENGINE_DISPOSED } from '../program.ts';
import { kernels } from './kernels.ts';
import { instantiate, type WasmBuild, type WasmInstance } from './load.ts';
import { WasmHeap } from './memory.ts';
import { probeDot } from './probe.ts';
import { encode, type Place, RANGE_WORDS, sectionRanges, type TapeRecord } from './tape.ts';
import { chooseTiles } from './tiles.ts';

export interface WasmOptions {
  /** Instructions; the best the engine has if not given. */
  readonly build?: WasmBuild;
  /** One thread is used for now; asking for more is noted in the description. */
  readonly threads?: number;
}

/** Makes the WebAssembly backend. Throws 'unavailable' without SIMD, 'invalid_argument' for nonsense options. */
export async function createWasmBackend(options: WasmOptions = {}): Promise<WasmBackend> {
  const { threads = 1, build } = options;
  if (!Number.isInteger(threads) || threads < 1)
    fail('invalid_argument', `threads is ${threads}, expected a whole number from 1`);
  if (build !== undefined && build !== 'simd128' && build !== 'relaxed')
    fail('invalid_argument', `unknown build '${build}'; expected 'simd128' or 'relaxed'`);
  return new WasmBackend(await instantiate(build), threads);
}

export class WasmBackend implements Backend {
  readonly name = 'wasm';
  readonly build: WasmBuild;
  readonly threads = 1;
  readonly description: string;
  private readonly instance: WasmInstance;
  private readonly heap: WasmHeap;
  private readonly place: Omit<Place, 'address' | 'extra'>;

  constructor(instance: WasmInstance, wished: number) {
    this.instance = instance;
    this.build = instance.build;
    this.heap = new WasmHeap(instance.memory);
    const scratchPerThread = instance.exports.scratchBytes();
    const i8Kind = instance.build === 'relaxed' && probeDot(instance.exports, this.heap) ? 1 : 0;
    this.place = {
      scratch: this.heap.allocate(scratchPerThread, 'scratch memory'),
      scratchPerThread,
      i8Kind,
      ...chooseTiles(instance.build, i8Kind),
    };
    const dot = i8Kind ? 'relaxed dot' : 'dot_i16x8';
    const note = wished > 1 ? `, not the ${wished} asked for: threads are not built in yet` : '';
    this.description = `WebAssembly ${instance.build}, int8 by ${dot}, 1 thread${note}`;
  }

  get allocatedBytes(): number {
    return this.heap.allocatedBytes - this.place.scratchPerThread;
  }

  supports(step: Step): true | Unsupported {
    const kernel = kernels[step.op];
    return 'reason' in kernel ? kernel : true;
  }

  async compile(plan: Plan): Promise<Program> {
    if (this.heap.closed) fail('disposed', ENGINE_DISPOSED);
    return new WasmProgram(plan, this.instance, this.heap, this.place);
  }

  dispose(): void {
    this.heap.closed = true;
  }
}

/** One block of memory: the arena, packed weights, the tape, and a range for each section. */
class WasmProgram implements Program {
  readonly plan: Plan;
  private readonly heap: WasmHeap;
  private readonly exports: WasmInstance['exports'];
  private readonly base: number;
  private readonly bytes: number;
  private readonly ranges = new Map<Section | 'all', number>();
  private disposed = false;

  constructor(
    plan: Plan,
    { exports }: WasmInstance,
    heap: WasmHeap,
    place: Omit<Place, 'address' | 'extra'>,
  ) {
    this.plan = plan;
    this.heap = heap;
    this.exports = exports;
    // Encoding asks for extra memory as it goes; a first pass with the arena at 0 finds out how much, and how long the tape is.
    const draft = this.encodeSteps(place, 0);
    const tapeAt = plan.arenaBytes + draft.extraBytes;
    const rangesAt = tapeAt + draft.main.byteLength + draft.once.byteLength;
    this.bytes = rangesAt + (draft.sections.size + 1) * RANGE_WORDS * 4;
    this.base = heap.allocate(this.bytes, plan.name);
    const { main, once, sections } = this.encodeSteps(place, this.base);
    const memory = heap.memory.buffer;
    for (const c of plan.constants) viewOf(c.dtype, memory, this.base + c.offset, c.data.length).set(c.data);
    new Uint32Array(memory, this.base + tapeAt, main.length).set(main);
    new Uint32Array(memory, this.base + tapeAt + main.byteLength, once.length).set(once);
    let at = this.base + rangesAt;
    const range = (from: number, to: number) => {
      new Uint32Array(memory, at, 2).set([this.base + tapeAt + from, this.base + tapeAt + to]);
      at += RANGE_WORDS * 4;
      return at - RANGE_WORDS * 4;
    };
    for (const [section, [from, to]] of sections) this.ranges.set(section, range(from, to));
    exports.run(range(main.byteLength, main.byteLength + once.byteLength), 0, 1);
  }

  write(slot: Slot, data: TypedArray): void {
    this.alive();
    checkSlotArray(this.plan, slot, data, 'write');
    this.view(slot).set(data);
  }

  run(section?: Section): void {
    this.alive();
    this.exports.run(this.ranges.get(section ?? 'all')!, 0, 1);
  }

  async read(slot: Slot, into?: TypedArray): Promise<TypedArray> {
    this.alive();
    if (into) checkSlotArray(this.plan, slot, into, 'read into');
    else checkSlot(this.plan, slot);
    const target = into ?? allocate(slot.dtype, sizeOf(slot.shape));
    target.set(this.view(slot));
    return target;
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.heap.release(this.base, this.bytes);
  }

  /** A fresh view each time: growing the memory detaches older ones. */
  private view(slot: Slot): TypedArray {
    return viewOf(slot.dtype, this.heap.memory.buffer, this.base + slot.offset, sizeOf(slot.shape));
  }

  private encodeSteps(place: Omit<Place, 'address' | 'extra'>, base: number) {
    let extraBytes = 0;
    const full: Place = {
      ...place,
      address: (t) => base + t.offset,
      extra: (bytes) => {
        extraBytes += Math.ceil(bytes / 64) * 64;
        return base + this.plan.arenaBytes + extraBytes - Math.ceil(bytes / 64) * 64;
      },
    };
    const main: TapeRecord[] = [];
    const once: TapeRecord[] = [];
    const lengths: { section: Section; words: number }[] = [];
    for (const step of this.plan.steps) {
      const kernel = kernels[step.op];
      if ('reason' in kernel) fail('unsupported', `${this.plan.name}: ${step.op}: ${kernel.reason}`);
      for (const record of kernel.encode(step, full)) {
        if (record.once) once.push(record);
        else {
          main.push(record);
          lengths.push({ section: step.section, words: record.words.length + 2 });
        }
      }
    }
    return { main: encode(main), once: encode(once), sections: sectionRanges(lengths), extraBytes };
  }

  private alive(): void {
    if (this.heap.closed) fail('disposed', ENGINE_DISPOSED);
    if (this.disposed) fail('disposed', `${this.plan.name}: this program was disposed`);
  }
}
