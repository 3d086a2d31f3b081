import { allocate, bytesPerElement, type TypedArray, viewOf } from '../../core/dtype.ts';
import { fail } from '../../core/errors.ts';
import { sizeOf } from '../../core/shape.ts';
import { alignUp } from '../../graph/memory.ts';
import type { Plan, Section, Slot, TensorRef } from '../../graph/plan.ts';
import type { Program } from '../backend.ts';
import { checkSlot, checkSlotArray } from '../program.ts';
import type { DeviceHealth } from './device.ts';
import { ARGS_STRIDE, gridOf } from './record.ts';

/** One dispatch, ready: its arguments are at `index` * ARGS_STRIDE. */
export interface Recorded {
  readonly section: Section;
  readonly pipeline: GPUComputePipeline;
  readonly index: number;
  readonly workgroups: number;
}

export interface ProgramParts {
  readonly device: GPUDevice;
  readonly health: DeviceHealth;
  readonly arena: GPUBuffer;
  readonly args: GPUBuffer;
  readonly bindGroup: GPUBindGroup;
  readonly recording: readonly Recorded[];
  /** Told how many bytes were taken (or, negative, given back). */
  readonly account: (bytes: number) => void;
}

/** A recorded plan: one command buffer and one submit for each run. */
export class WebgpuProgram implements Program {
  readonly plan: Plan;
  private readonly parts: ProgramParts;
  private readonly onDispose: () => void;
  /** Staging buffers for reading, free to be used again. */
  private staging: GPUBuffer[] = [];
  private disposed = false;

  constructor(plan: Plan, parts: ProgramParts, onDispose: () => void) {
    this.plan = plan;
    this.parts = parts;
    this.onDispose = onDispose;
    parts.account(parts.arena.size + parts.args.size);
  }

  write(slot: Slot, data: TypedArray): void {
    this.alive();
    checkSlotArray(this.plan, slot, data, 'write');
    if (data.length === 0) return;
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    // The queue copies whole words; a tensor owns the rest of its last one.
    const whole = bytes.length % 4 === 0 ? bytes : padded(bytes);
    this.parts.device.queue.writeBuffer(this.parts.arena, slot.offset, whole as Uint8Array<ArrayBuffer>);
  }

  run(section?: Section): void {
    this.alive();
    const { device, bindGroup, recording } = this.parts;
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    let current: GPUComputePipeline | undefined;
    for (const d of recording) {
      if (section !== undefined && d.section !== section) continue;
      if (d.pipeline !== current) pass.setPipeline(d.pipeline);
      current = d.pipeline;
      pass.setBindGroup(0, bindGroup, [d.index * ARGS_STRIDE]);
      const [x, y] = gridOf(d.workgroups);
      pass.dispatchWorkgroups(x, y);
    }
    pass.end();
    device.queue.submit([encoder.finish()]);
  }

  async read(slot: Slot, into?: TypedArray): Promise<TypedArray> {
    this.alive();
    if (into) checkSlotArray(this.plan, slot, into, 'read into');
    else checkSlot(this.plan, slot);
    const target = into ?? allocate(slot.dtype, sizeOf(slot.shape));
    if (target.length === 0) return target;
    // The copy is queued now, before any run that follows, so that it sees the values as of this call.
    const { device, arena, health } = this.parts;
    const bytes = byteLength(slot);
    const staging = this.takeStaging(bytes);
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(arena, slot.offset, staging, 0, bytes);
    device.queue.submit([encoder.finish()]);
    try {
      await health.during(staging.mapAsync(GPUMapMode.READ, 0, bytes));
      health.check();
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

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.onDispose();
    const { arena, args, account } = this.parts;
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
    this.parts.health.check();
    if (this.disposed) fail('disposed', `${this.plan.name}: this program was disposed`);
  }
}

function padded(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(alignUp(bytes.length, 4));
  whole.set(bytes);
  return whole;
}

/** Bytes of a tensor, to the end of its last word. */
export const byteLength = (t: TensorRef): number => alignUp(sizeOf(t.shape) * bytesPerElement[t.dtype], 4);
