import { digestOf } from '../../core/digest.ts';
import { bytesPerElement, type TypedArray } from '../../core/dtype.ts';
import { sizeOf } from '../../core/shape.ts';
import { alignUp } from '../../graph/memory.ts';
import { ALIGNMENT, type TensorRef } from '../../graph/plan.ts';
import { reading } from './encode.ts';
import type { Pipelines } from './pipelines.ts';
import { ARGS_STRIDE, encodeArgs, gridOf, type Weights } from './record.ts';

/** What the device said about buffers: that memory is out, that they are not valid. */
export type Complaints = Promise<readonly (GPUError | null)[]>;

/** Weights on the device: one copy for all programs that read the same values in the same form. */
export interface SharedWeights {
  readonly key: string;
  readonly buffer: GPUBuffer;
  /** Programs that read it. */
  holders: number;
  /** Told by who made it. */
  complaints?: Complaints;
}

/** Weights whose values are known, and under which name. */
export interface KnownWeights {
  readonly key: string;
  readonly weights: Weights;
  /** Bytes of each constant. */
  readonly parts: readonly Uint8Array[];
}

const bytesOf = (t: TensorRef): number => sizeOf(t.shape) * bytesPerElement[t.dtype];

/** Bytes of the buffer that is bound. */
export const weightBytes = ({ of, made }: Weights): number =>
  alignUp(made ? 4 * made.words : rawBytes(of), 16);

const rawBytes = (of: readonly TensorRef[]): number =>
  of.reduce((sum, t) => sum + alignUp(bytesOf(t), ALIGNMENT), 0);

/** Finds the values of weights among a program's constants. Each constant's array is asked for once. */
export class WeightReader {
  private readonly dataOf: (index: number) => TypedArray;
  private readonly arrays = new Map<number, TypedArray>();
  private readonly digests = new Map<string, string>();

  constructor(dataOf: (index: number) => TypedArray) {
    this.dataOf = dataOf;
  }

  know(weights: Weights): KnownWeights {
    const parts = weights.of.map((t) => this.bytes(t));
    const digests = weights.of.map((t, i) => this.digest(t, parts[i]));
    return { key: JSON.stringify([digests, weights.made]), weights, parts };
  }

  private bytes(t: TensorRef): Uint8Array {
    const index = t.apart!;
    const data = this.arrays.get(index) ?? this.dataOf(index);
    this.arrays.set(index, data);
    return new Uint8Array(data.buffer, data.byteOffset + t.offset, bytesOf(t));
  }

  private digest({ apart, offset }: TensorRef, bytes: Uint8Array): string {
    const place = `${apart} ${offset} ${bytes.length}`;
    const digest = this.digests.get(place) ?? digestOf(bytes);
    this.digests.set(place, digest);
    return digest;
  }
}

/** The weights that programs of one device read, each once, as long as a program reads it. */
export class WeightStore {
  private readonly device: GPUDevice;
  private readonly pipelines: Pipelines;
  private readonly account: (bytes: number) => void;
  private readonly kept = new Map<string, SharedWeights>();

  constructor(device: GPUDevice, pipelines: Pipelines, account: (bytes: number) => void) {
    this.device = device;
    this.pipelines = pipelines;
    this.account = account;
  }

  /** Weights for one more program. Made here if nobody has them: `pipeline` is that of `made`. */
  take(known: KnownWeights, pipeline: GPUComputePipeline | undefined): SharedWeights {
    const there = this.kept.get(known.key);
    const shared = there ?? { key: known.key, buffer: this.make(known, pipeline), holders: 0 };
    if (!there) this.account(shared.buffer.size);
    shared.holders++;
    this.kept.set(known.key, shared);
    return shared;
  }

  /** A program no longer reads them. */
  release(shared: SharedWeights): void {
    if (--shared.holders > 0) return;
    this.kept.delete(shared.key);
    this.account(-shared.buffer.size);
    shared.buffer.destroy();
  }

  private make({ weights, parts }: KnownWeights, pipeline: GPUComputePipeline | undefined): GPUBuffer {
    const { device } = this;
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
    const size = alignUp(rawBytes(weights.of), 16);
    const raw = device.createBuffer({ label: 'weights', size, usage });
    let at = 0;
    for (const part of parts) {
      const whole = part.length - (part.length % 4);
      if (whole > 0) device.queue.writeBuffer(raw, at, part as Uint8Array<ArrayBuffer>, 0, whole);
      if (whole < part.length) {
        const last = new Uint8Array(4);
        last.set(part.subarray(whole));
        device.queue.writeBuffer(raw, at + whole, last);
      }
      at += alignUp(part.length, ALIGNMENT);
    }
    if (!weights.made || !pipeline) return raw;
    const made = device.createBuffer({ label: 'packed weights', size: weightBytes(weights), usage });
    const args = device.createBuffer({
      label: 'arguments of packing',
      size: ARGS_STRIDE,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    const { dispatch } = weights.made;
    device.queue.writeBuffer(args, 0, encodeArgs([dispatch]));
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass({ label: 'packing' });
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, this.pipelines.bind(made, args, raw), [0]);
    pass.dispatchWorkgroups(...gridOf(dispatch.workgroups));
    pass.end();
    device.queue.submit([encoder.finish()]);
    // What is submitted keeps them until it is done.
    raw.destroy();
    args.destroy();
    return made;
  }
}

/** The shader that makes weights from constants. */
export const makerOf = ({ made }: Weights) => made && reading(made.dispatch).shader;
