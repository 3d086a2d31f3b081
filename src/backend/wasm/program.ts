import { allocate, type TypedArray, viewOf } from '../../core/dtype.ts';
import { fail } from '../../core/errors.ts';
import { sizeOf } from '../../core/shape.ts';
import type { Plan, Section, Slot } from '../../graph/plan.ts';
import type { Program } from '../backend.ts';
import { checkSlot, checkSlotArray, ENGINE_DISPOSED } from '../program.ts';
import { kernelOf } from './kernels.ts';
import type { WasmInstance } from './load.ts';
import type { WasmHeap } from './memory.ts';
import type { ThreadPool } from './pool.ts';
import { encode, type Place, sectionRanges, type TapeRecord } from './tape.ts';

/** What programs of one engine share. */
export interface Host {
  readonly instance: WasmInstance;
  readonly heap: WasmHeap;
  readonly place: Omit<Place, 'address' | 'extra'>;
  /** The threads this program runs on; undefined for the caller's alone. */
  readonly pool: ThreadPool | undefined;
}

/** One block of memory: the arena, packed weights, and the tape. */
export class WasmProgram implements Program {
  readonly plan: Plan;
  private readonly host: Host;
  private readonly base: number;
  private readonly bytes: number;
  private readonly ranges: Map<Section | 'all', readonly [begin: number, end: number]>;
  private readonly views = new Map<string, TypedArray>();
  /** What has been asked for and is not done yet, in order, where runs are not over when their call returns. */
  private pending: Promise<void> | undefined;
  private failure: unknown;
  private disposed = false;

  constructor(plan: Plan, host: Host) {
    this.plan = plan;
    this.host = host;
    const { heap, instance } = host;
    // Encoding asks for extra memory as it goes; a first pass with the arena at 0 finds out how much, and how long the tape is.
    const draft = this.encodeSteps(0);
    const tapeAt = plan.arenaBytes + draft.extraBytes;
    this.bytes = tapeAt + draft.main.byteLength + draft.once.byteLength;
    this.base = heap.allocate(this.bytes, plan.name);
    const { main, once, sections } = this.encodeSteps(this.base);
    const memory = heap.memory.buffer;
    for (const c of plan.constants) viewOf(c.dtype, memory, this.base + c.offset, c.data.length).set(c.data);
    const tape = this.base + tapeAt;
    new Uint32Array(memory, tape, main.length).set(main);
    new Uint32Array(memory, tape + main.byteLength, once.length).set(once);
    this.ranges = new Map([...sections].map(([name, [from, to]]) => [name, [tape + from, tape + to]]));
    const onceAt = tape + main.byteLength;
    instance.exports.run(onceAt, onceAt + once.byteLength, 0, 1, 0, 0);
  }

  write(slot: Slot, data: TypedArray): void {
    this.alive();
    checkSlotArray(this.plan, slot, data, 'write');
    if (this.pending) {
      const copy = data.slice();
      this.afterwards(() => void this.view(slot).set(copy));
    } else this.view(slot).set(data);
  }

  run(section: Section | 'all' = 'all'): void {
    this.alive();
    if (this.pending) this.afterwards(() => this.start(section));
    else {
      const run = this.start(section);
      if (run) this.afterwards(() => run);
    }
  }

  async read(slot: Slot, into?: TypedArray): Promise<TypedArray> {
    this.alive();
    if (into) checkSlotArray(this.plan, slot, into, 'read into');
    else checkSlot(this.plan, slot);
    if (this.pending) {
      await this.pending;
      this.alive();
    }
    const target = into ?? allocate(slot.dtype, sizeOf(slot.shape));
    target.set(this.view(slot));
    return target;
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    const release = () => this.host.heap.release(this.base, this.bytes);
    if (this.pending) void this.pending.then(release);
    else release();
  }

  /** Runs a section; over when this returns, unless it gives a promise. */
  private start(section: Section | 'all'): Promise<void> | undefined {
    const [begin, end] = this.ranges.get(section)!;
    const { instance, pool } = this.host;
    if (pool) return pool.run(begin, end);
    instance.exports.run(begin, end, 0, 1, 0, 0);
    return undefined;
  }

  /** Does something after what is pending. A failure stays: this program's values are lost with it. */
  private afterwards(work: () => Promise<void> | undefined): void {
    const before = this.pending ?? Promise.resolve();
    const pending = before
      .then(() => (this.failure || this.host.heap.closed ? undefined : work()))
      .catch((error) => {
        this.failure = error;
      })
      .then(() => {
        if (this.pending === pending) this.pending = undefined;
      });
    this.pending = pending;
  }

  /** Kept, so that a run allocates nothing; made anew where growing the memory has detached it. */
  private view(slot: Slot): TypedArray {
    const known = this.views.get(slot.name);
    if (known && (known.length > 0 || sizeOf(slot.shape) === 0)) return known;
    const view = viewOf(
      slot.dtype,
      this.host.heap.memory.buffer,
      this.base + slot.offset,
      sizeOf(slot.shape),
    );
    this.views.set(slot.name, view);
    return view;
  }

  private encodeSteps(base: number) {
    let extraBytes = 0;
    const full: Place = {
      ...this.host.place,
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
      const kernel = kernelOf(step.op);
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
    if (this.host.heap.closed) fail('disposed', ENGINE_DISPOSED);
    if (this.disposed) fail('disposed', `${this.plan.name}: this program was disposed`);
    if (this.failure) throw this.failure;
  }
}
