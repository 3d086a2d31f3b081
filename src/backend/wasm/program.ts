import { type TypedArray, viewOf } from '../../core/dtype.ts';
import { fail } from '../../core/errors.ts';
import { sizeOf } from '../../core/shape.ts';
import type { TapeRecord } from '../../generated/records.ts';
import { alignUp } from '../../graph/memory.ts';
import { ALIGNMENT, type Plan, type Section, type Slot } from '../../graph/plan.ts';
import type { Program, Run } from '../backend.ts';
import { type LaidOutEntry, type Layout, sectionOf } from '../entries.ts';
import { ExtraMemory } from '../extra-memory.ts';
import { ENGINE_DISPOSED } from '../program.ts';
import { type GrowingTape, growingTapes } from './growing.ts';
import type { WasmInstance } from './load.ts';
import type { WasmHeap } from './memory.ts';
import type { ThreadPool } from './pool.ts';
import { RunningTape } from './running-tape.ts';
import { encode, type Place } from './tape.ts';

/** What programs of one engine share. */
export interface Host {
  readonly instance: WasmInstance;
  readonly heap: WasmHeap;
  readonly place: Omit<Place, 'address' | 'extra' | 'lend'>;
}

/** Threads that an entry is run by from so many rows on; fewer rows are for the caller's thread alone. */
export interface Crew {
  readonly pool: ThreadPool | undefined;
  sharedFrom(entry: LaidOutEntry): number;
}

/** A tape that is to be, for so many rows and more. */
interface Draft {
  readonly entry: LaidOutEntry;
  readonly tape: GrowingTape;
  readonly least: number;
  readonly pool: ThreadPool | undefined;
}

/** One block of memory: | the arena | packed weights | tapes | records that run once |. */
export class WasmProgram implements Program {
  readonly plan: Plan;
  readonly plans: Program['plans'];
  readonly bytes: number;
  private readonly layout: Layout;
  private readonly host: Host;
  private readonly base: number;
  /** Each entry's tapes, those for more rows later. */
  private readonly tapes = new Map<LaidOutEntry, RunningTape[]>();
  private readonly views = new Map<Slot, TypedArray>();
  private words: Uint32Array | undefined;
  /** What has been asked for and is not done yet, in order, where runs are not over when their call returns. */
  private pending: Promise<void> | undefined;
  private failure: unknown;
  private disposed = false;

  constructor(layout: Layout, host: Host, crew: Crew) {
    this.layout = layout;
    this.plan = layout.first.plan;
    this.plans = layout.plans;
    this.host = host;
    const { heap, instance } = host;
    // Encoding asks for extra memory as it goes; a first pass with the arena at 0 finds out how much, and how long tapes are.
    const draft = this.encodeAll(0, crew);
    const tapesAt = layout.arenaBytes + draft.extraBytes;
    const tapeBytes = draft.drafts.reduce((sum, d) => sum + d.tape.words.byteLength, draft.once.byteLength);
    this.bytes = alignUp(tapesAt + tapeBytes, ALIGNMENT);
    this.base = heap.allocate(this.bytes, this.plan.name);
    const { drafts, once } = this.encodeAll(this.base, crew);
    const { memory } = heap;
    for (const { dtype, offset, data } of layout.constants)
      viewOf(dtype, memory.buffer, this.base + offset, data.length).set(data);
    let at = this.base + tapesAt;
    for (const { entry, tape, least, pool } of drafts) {
      const running = new RunningTape(memory, tape, at, least, pool);
      this.tapes.set(entry, [...(this.tapes.get(entry) ?? []), running]);
      at += tape.words.byteLength;
    }
    new Uint32Array(memory.buffer, at, once.length).set(once);
    instance.exports.run(at, at + once.byteLength, 0, 1, 0, 0);
  }

  write(slot: Slot, data: TypedArray): void {
    this.alive();
    this.layout.checkArray(slot, data, 'write');
    if (this.pending) {
      const copy = data.slice();
      this.afterwards(() => void this.view(slot).set(copy));
    } else this.view(slot).set(data);
  }

  run(what?: Section | Run): void {
    this.alive();
    const entry = this.layout.entryOf(what);
    const { rows } = entry;
    const section = sectionOf(what) ?? 'all';
    if (this.pending) this.afterwards(() => this.start(entry, rows, section));
    else {
      const run = this.start(entry, rows, section);
      if (run) this.afterwards(() => run);
    }
  }

  async read(slot: Slot, into?: TypedArray): Promise<TypedArray> {
    this.alive();
    if (into) this.layout.checkArray(slot, into, 'read into');
    const target = into ?? this.layout.arrayFor(slot);
    if (this.pending) {
      await this.pending;
      this.alive();
    }
    const view = this.view(slot);
    target.set(target.length < view.length ? view.subarray(0, target.length) : view);
    return target;
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    const release = () => this.host.heap.release(this.base, this.bytes);
    if (this.pending) void this.pending.then(release);
    else release();
  }

  /**
   * Runs a section; over when this returns, unless it gives a promise. Runs of a program come one after the other, so nobody
   * walks a tape that is made to grow here.
   */
  private start(entry: LaidOutEntry, rows: number, section: Section | 'all'): Promise<void> | undefined {
    const tapes = this.tapes.get(entry)!;
    let tape = tapes[0];
    for (const t of tapes) if (t.least <= rows) tape = t;
    tape.growTo(rows, this.memoryWords());
    const [begin, end] = tape.ranges.get(section)!;
    if (tape.pool) return tape.pool.run(begin, end);
    this.host.instance.exports.run(begin, end, 0, 1, 0, 0);
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
    const known = this.views.get(slot);
    if (known && (known.length > 0 || sizeOf(slot.shape) === 0)) return known;
    const view = viewOf(
      slot.dtype,
      this.host.heap.memory.buffer,
      this.base + slot.offset,
      sizeOf(slot.shape),
    );
    this.views.set(slot, view);
    return view;
  }

  private memoryWords(): Uint32Array {
    if (!this.words?.length)
      this.words = new Uint32Array(this.host.heap.memory.buffer, 0, (this.base + this.bytes) >>> 2);
    return this.words;
  }

  private encodeAll(base: number, crew: Crew) {
    const { layout } = this;
    const { place } = this.host;
    const { pool } = crew;
    const extra = new ExtraMemory(base + layout.arenaBytes, ALIGNMENT);
    const address = (offset: number) => base + offset;
    const once = new Map<string, TapeRecord>();
    const drafts = layout.entries.flatMap((entry): Draft[] => {
      const { least, most } = entry;
      const from = pool ? crew.sharedFrom(entry) : Number.POSITIVE_INFINITY;
      const tapesOn = (scratch: number) => {
        const tapes = growingTapes(entry, { ...place, address, scratch }, extra);
        for (const record of tapes.once) once.set(JSON.stringify(record), record);
        return tapes;
      };
      // The first part of the scratch memory is for the caller's thread, which may run while others do.
      const alone = from > least ? tapesOn(place.scratch) : undefined;
      const shared = from <= most ? tapesOn(place.scratch + place.scratchPerThread) : undefined;
      const first =
        least === 1
          ? [{ entry, tape: (alone ?? shared)!.single, least, pool: alone ? undefined : pool }]
          : [];
      const some = Math.max(2, least);
      return [
        ...first,
        ...(alone && some <= most ? [{ entry, tape: alone.many, least: some, pool: undefined }] : []),
        ...(shared && most >= 2 ? [{ entry, tape: shared.many, least: Math.max(some, from), pool }] : []),
      ];
    });
    return { drafts, once: encode([...once.values()]), extraBytes: extra.size };
  }

  private alive(): void {
    if (this.host.heap.closed) fail('disposed', ENGINE_DISPOSED);
    if (this.disposed) fail('disposed', `${this.plan.name}: this program was disposed`);
    if (this.failure) throw this.failure;
  }
}
