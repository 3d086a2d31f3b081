import { bytesOf } from '../../core/arrays.ts';
import { bytesPerElement, type TypedArray, viewOf } from '../../core/dtype.ts';
import { fail } from '../../core/errors.ts';
import { showShape, sizeOf } from '../../core/shape.ts';
import { alignUp } from '../../graph/memory.ts';
import type { Plan, Section, Slot, TensorRef } from '../../graph/plan.ts';
import type { Program, Run } from '../backend.ts';
import { type LaidOutEntry, type Layout, sectionOf } from '../entries.ts';
import { describePlan } from '../program.ts';
import type { DeviceHealth } from './device.ts';
import { ARGS_STRIDE, gridOf } from './record.ts';
import type { Recorded, Recording } from './recording.ts';
import type { SharedWeights } from './weights.ts';

export interface ProgramParts {
  readonly device: GPUDevice;
  readonly health: DeviceHealth;
  readonly arena: GPUBuffer;
  readonly args: GPUBuffer;
  /** What it reads beside the arena, with other programs. */
  readonly weights: readonly SharedWeights[];
  /** Gives back its share of one of them. */
  readonly release: (weights: SharedWeights) => void;
  /** Of each entry, those for more rows later. */
  readonly recordings: ReadonlyMap<LaidOutEntry, readonly Recording[]>;
  /** Told how many bytes were taken (or, negative, given back). */
  readonly account: (bytes: number) => void;
}

/** Recorded plans: one command buffer and one submit for each run. */
export class WebgpuProgram implements Program {
  /** What it was compiled from. */
  readonly plan: Plan;
  /** The plan of each entry. */
  readonly plans: Program['plans'];
  private readonly layout: Layout;
  private readonly parts: ProgramParts;
  /** The plan in messages. */
  private readonly what: string;
  private readonly onDispose: () => void;
  /** Staging buffers for reading, free to be used again. */
  private staging: GPUBuffer[] = [];
  private disposed = false;

  constructor(layout: Layout, parts: ProgramParts, onDispose: () => void) {
    this.layout = layout;
    this.plan = layout.first.plan;
    this.plans = layout.plans;
    this.what = describePlan(this.plan);
    this.parts = parts;
    this.onDispose = onDispose;
    parts.account(parts.arena.size + parts.args.size);
  }

  /** Bytes of its buffers on the device, with the weights that it shares with other programs. */
  get bytes(): number {
    const { arena, args, weights } = this.parts;
    return arena.size + args.size + weights.reduce((sum, { buffer }) => sum + buffer.size, 0);
  }

  write(slot: Slot, data: TypedArray): void {
    this.alive();
    this.layout.checkArray(slot, data, 'write');
    if (data.length === 0) return;
    const bytes = bytesOf(this.plan.name, data);
    // The queue copies whole words; a tensor owns the rest of its last one.
    const whole = bytes.length % 4 === 0 ? bytes : padded(bytes);
    this.parts.device.queue.writeBuffer(this.parts.arena, this.layout.slotOf(slot).offset, whole);
  }

  run(what?: Section | Run): void {
    this.submit((encoder) => this.encode(encoder, what));
  }

  /**
   * Adds an entry, or one section of it, to a caller's command encoder (of the same device); it runs when the caller submits.
   * Values written with write() before that submit are what it sees. Of a growing plan, submit one number of rows before
   * another is encoded or run: what a run is told of them is written at this call.
   */
  encode(encoder: GPUCommandEncoder, what?: Section | Run): void {
    this.alive();
    const entry = this.layout.entryOf(what);
    const section = sectionOf(what);
    const { rows } = entry;
    const recordings = this.parts.recordings.get(entry)!;
    const recording = recordings.findLast((r) => r.least <= rows)!;
    this.record(encoder, recording, rows, (d) => section === undefined || d.section === section);
  }

  /** The buffer that holds every tensor that has a slot, at `slot.offset` bytes. It lives and dies with the program. */
  get buffer(): GPUBuffer {
    this.alive();
    return this.parts.arena;
  }

  /** Adds to a caller's encoder: copies a slot's values from a buffer of the caller's, from byte `offset` on. */
  copyFrom(encoder: GPUCommandEncoder, slot: Slot, source: GPUBuffer, offset = 0): void {
    this.alive();
    const { offset: at } = this.layout.slotOf(slot);
    this.checkBuffer(slot, source, offset, 'copyFrom');
    const bytes = byteLength(slot);
    if (bytes > 0) encoder.copyBufferToBuffer(source, offset, this.parts.arena, at, bytes);
  }

  /** Adds to a caller's encoder: copies a slot's values into a buffer of the caller's, with no readback. */
  copyTo(encoder: GPUCommandEncoder, slot: Slot, target: GPUBuffer, offset = 0): void {
    this.alive();
    const { offset: at } = this.layout.slotOf(slot);
    this.checkBuffer(slot, target, offset, 'copyTo');
    const bytes = byteLength(slot);
    if (bytes > 0) encoder.copyBufferToBuffer(this.parts.arena, at, target, offset, bytes);
  }

  private checkBuffer(slot: Slot, buffer: GPUBuffer, offset: number, verb: 'copyFrom' | 'copyTo'): void {
    const bytes = byteLength(slot);
    const usage = verb === 'copyTo' ? GPUBufferUsage.COPY_DST : GPUBufferUsage.COPY_SRC;
    const at =
      `${this.plan.name}: can't ${verb} '${buffer.label || 'a buffer'}' for '${slot.name}' ` +
      `${slot.dtype}${showShape(slot.shape)}`;
    if ((buffer.usage & usage) === 0)
      fail('invalid_argument', `${at}: its usage lacks ${verb === 'copyTo' ? 'COPY_DST' : 'COPY_SRC'}`);
    if (offset % 4 !== 0) fail('invalid_argument', `${at}: offset is ${offset}, expected a multiple of 4`);
    if (offset + bytes > buffer.size)
      fail(
        'out_of_range',
        `${at}: needs bytes ${offset} to ${offset + bytes}, the buffer has ${buffer.size}`,
      );
  }

  private submit(fill: (encoder: GPUCommandEncoder) => void): void {
    this.alive();
    const encoder = this.parts.device.createCommandEncoder();
    fill(encoder);
    this.parts.device.queue.submit([encoder.finish()]);
  }

  private record(
    encoder: GPUCommandEncoder,
    recording: Recording,
    rows: number,
    wanted: (d: Recorded) => boolean,
  ): void {
    const { device, args } = this.parts;
    const told = recording.at(rows);
    if (recording.rows !== rows) device.queue.writeBuffer(args, recording.first * ARGS_STRIDE, told.args);
    recording.rows = rows;
    const pass = encoder.beginComputePass({ label: this.plan.name });
    let current: GPUComputePipeline | undefined;
    recording.dispatches.forEach((d, i) => {
      if (!wanted(d)) return;
      if (d.pipeline !== current) pass.setPipeline(d.pipeline);
      current = d.pipeline;
      pass.setBindGroup(0, d.bindGroup, [d.index * ARGS_STRIDE]);
      pass.dispatchWorkgroups(...gridOf(told.workgroups[i]));
    });
    pass.end();
  }

  async read(slot: Slot, into?: TypedArray): Promise<TypedArray> {
    this.alive();
    if (into) this.layout.checkArray(slot, into, 'read into');
    const target = into ?? this.layout.arrayFor(slot);
    if (target.length === 0) return target;
    // The copy is queued now, before any run that follows, so that it sees the values as of this call.
    const { device, arena, health } = this.parts;
    const bytes = alignUp(target.byteLength, 4);
    const staging = this.takeStaging(bytes);
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(arena, this.layout.slotOf(slot).offset, staging, 0, bytes);
    device.queue.submit([encoder.finish()]);
    try {
      await health.during(this.what, staging.mapAsync(GPUMapMode.READ, 0, bytes));
      health.check(this.what);
      if (this.disposed)
        fail('disposed', `${this.plan.name}: this program was disposed while it was being read`);
    } catch (error) {
      this.parts.account(-staging.size);
      staging.destroy();
      throw error;
    }
    target.set(viewOf(slot.dtype, staging.getMappedRange(0, bytes), 0, target.length));
    staging.unmap();
    this.staging.push(staging);
    return target;
  }

  /** Gives back its buffers; calls after it throw 'disposed'. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.onDispose();
    const { arena, args, weights, account, release } = this.parts;
    for (const shared of weights) release(shared);
    for (const buffer of [arena, args, ...this.staging]) {
      account(-buffer.size);
      buffer.destroy();
    }
    this.staging = [];
  }

  /** A free staging buffer that is large enough, or a new one in place of one that is too small. */
  private takeStaging(bytes: number): GPUBuffer {
    const { device, account } = this.parts;
    const fits = this.staging.findIndex((b) => b.size >= bytes);
    if (fits >= 0) return this.staging.splice(fits, 1)[0];
    const small = this.staging.pop();
    if (small) {
      account(-small.size);
      small.destroy();
    }
    const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
    const buffer = device.createBuffer({ label: 'read', size: alignUp(bytes, 1024), usage });
    account(buffer.size);
    return buffer;
  }

  private alive(): void {
    this.parts.health.check(this.what);
    if (this.disposed) fail('disposed', `${this.plan.name}: this program was disposed`);
  }
}

function padded(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(alignUp(bytes.length, 4));
  whole.set(bytes);
  return whole;
}

/** Bytes of a tensor, to the end of its last word. */
export const byteLength = (t: TensorRef): number => alignUp(sizeOf(t.shape) * bytesPerElement[t.dtype], 4);
