import { bytesPerElement } from '../../core/dtype.ts';
import { sizeOf } from '../../core/shape.ts';
import { alignUp } from '../../graph/memory.ts';
import type { Plan, Step, TensorRef } from '../../graph/plan.ts';
import { productOf } from '../../ops/index.ts';
import type { Product } from '../../ops/op.ts';
import { encodePlan } from './encode.ts';
import type { Pipelines } from './pipelines.ts';
import { candidatesFor, classOf, type DeviceTraits, type ProductConfig } from './products.ts';
import { ARGS_STRIDE, encodeArgs, gridOf } from './record.ts';
import { weightBytes } from './weights.ts';

/** Where a caller keeps what was found out about devices: localStorage, a file, a Map. Keys name adapter and shape class. */
export interface GpuCache {
  /** The value kept under a key, if there is one. */
  get(key: string): string | undefined | null | Promise<string | undefined | null>;
  /** Keeps a value under a key; a promise is waited for. */
  set(key: string, value: string): unknown;
}

export interface TuneOptions {
  /** Time candidates on the device. Off where the GPU is simulated, if not given. */
  readonly tune?: boolean;
  /** Use this for every product that it fits; nothing is timed. */
  readonly force?: ProductConfig;
  readonly cache?: GpuCache;
  /** What to take the device for, instead of what it says. */
  readonly traits?: Partial<DeviceTraits>;
}

/** Raise it when candidates or shaders change, so that choices stored before are not taken for these. */
const GENERATION = 2;
/** Choices of this process, by adapter and class: engines come and go, adapters stay. */
const remembered = new Map<string, string>();
/** Products that need more than this are not timed: the first candidate serves. */
const MOST_BYTES = 256 * 2 ** 20;
/** One timing is as many runs as take about this long together. */
const TARGET_MS = 4;
const ROUNDS = 3;

/** Chooses how products are divided, by timing the candidates of each shape class once on the device. */
export class Tuner {
  private readonly device: GPUDevice;
  private readonly pipelines: Pipelines;
  private readonly traits: DeviceTraits;
  private readonly adapter: string;
  private readonly options: TuneOptions;
  /** Timings made so far, for tests and reports. */
  timed = 0;

  constructor(
    device: GPUDevice,
    pipelines: Pipelines,
    adapter: string,
    traits: DeviceTraits,
    options: TuneOptions,
  ) {
    this.device = device;
    this.pipelines = pipelines;
    this.adapter = adapter;
    this.traits = traits;
    this.options = options;
  }

  /** A configuration for every product of a plan. */
  async choose(plan: Plan): Promise<Map<Step, ProductConfig>> {
    const chosen = new Map<Step, ProductConfig>();
    for (const step of plan.steps) {
      const product = productOf(step);
      if (product) chosen.set(step, this.options.force ?? (await this.bestFor(step, product)));
    }
    return chosen;
  }

  private async bestFor(step: Step, product: Product): Promise<ProductConfig> {
    const candidates = candidatesFor(product, this.traits);
    const tune = this.options.tune ?? !this.traits.software;
    const bytes = bytesOf(step);
    if (!tune || candidates.length === 1 || product.batch * product.m * product.n * product.k === 0)
      return candidates[0];
    if (bytes > Math.min(MOST_BYTES, this.device.limits.maxStorageBufferBindingSize / 2))
      return candidates[0];
    const key = `biphase ${GENERATION} ${this.adapter} ${classOf(product)}`;
    const known = remembered.get(key) ?? (await this.options.cache?.get(key));
    const index = candidates.findIndex((c) => JSON.stringify(c) === known);
    if (index >= 0) return candidates[index];
    const times = await this.time(step, candidates);
    if (!times) return candidates[0];
    const best = candidates[times.indexOf(Math.min(...times))];
    const found = JSON.stringify(best);
    remembered.set(key, found);
    await this.options.cache?.set(key, found);
    return best;
  }

  /** Milliseconds of one run of each candidate: the least of a few rounds, candidates taking turns. Undefined where the device has no room. */
  private async time(step: Step, candidates: readonly ProductConfig[]): Promise<number[] | undefined> {
    const plan = alone(step);
    const made = candidates.map((config) => encodePlan(plan, () => config));
    const size = Math.max(...made.map((e) => e.arenaBytes));
    const read = made.flatMap(({ steps }) =>
      steps.flatMap(({ dispatch: { weights } }) => (weights ? [weightBytes(weights)] : [])),
    );
    const { device, pipelines } = this;
    // Everything up to the two pops happens in one turn, so that no other compile's scopes come between.
    device.pushErrorScope('validation');
    device.pushErrorScope('out-of-memory');
    const arena = device.createBuffer({
      label: 'timing',
      size: alignUp(size, 16),
      usage: GPUBufferUsage.STORAGE,
    });
    const weights =
      read.length > 0
        ? device.createBuffer({
            label: 'timing weights',
            size: Math.max(...read),
            usage: GPUBufferUsage.STORAGE,
          })
        : undefined;
    const buffers = weights ? [arena, weights] : [arena];
    const making = Promise.all(
      made.map(async ({ steps }) => {
        const bytes = encodeArgs(steps.map((s) => s.dispatch));
        const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
        const args = device.createBuffer({ label: 'timing arguments', size: bytes.byteLength, usage });
        buffers.push(args);
        device.queue.writeBuffer(args, 0, bytes);
        const bindGroup = pipelines.bind(arena, args, weights);
        const compiled = await Promise.all(
          steps.map((s) => pipelines.get(s.dispatch.shader, `timing ${step.op}`)),
        );
        return (pass: GPUComputePassEncoder) =>
          steps.forEach(({ dispatch }, i) => {
            pass.setPipeline(compiled[i]);
            pass.setBindGroup(0, bindGroup, [i * ARGS_STRIDE]);
            pass.dispatchWorkgroups(...gridOf(dispatch.workgroups));
          });
      }),
    );
    const refused = Promise.all([device.popErrorScope(), device.popErrorScope()]);
    try {
      const runners = await making;
      if ((await refused).some((error) => error)) return undefined;
      const least = runners.map(() => Number.POSITIVE_INFINITY);
      const counts: number[] = [];
      for (const run of runners) counts.push(Math.ceil(TARGET_MS / Math.max(0.01, await this.once(run, 1))));
      for (let round = 0; round < ROUNDS; round++)
        for (const [i, run] of runners.entries()) {
          const count = Math.min(200, counts[i]);
          least[i] = Math.min(least[i], (await this.once(run, count)) / count);
        }
      this.timed += runners.length;
      return least;
    } finally {
      for (const buffer of buffers) buffer.destroy();
    }
  }

  /** Milliseconds of `count` runs: the device's own clock where it has one, else the time until they are done. */
  private async once(run: (pass: GPUComputePassEncoder) => void, count: number): Promise<number> {
    const { device } = this;
    const clock = device.features.has('timestamp-query') ? new DeviceClock(device) : undefined;
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass({ timestampWrites: clock?.writes });
    for (let i = 0; i < count; i++) run(pass);
    pass.end();
    clock?.resolve(encoder);
    const begin = performance.now();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    const wall = performance.now() - begin;
    // A clock that stands still or is kept coarse says nothing.
    return (await clock?.read()) || wall;
  }
}

/** Two timestamps around a pass. */
class DeviceClock {
  private readonly set: GPUQuerySet;
  private readonly buffers: readonly [GPUBuffer, GPUBuffer];

  constructor(device: GPUDevice) {
    this.set = device.createQuerySet({ type: 'timestamp', count: 2 });
    const buffer = (usage: number) => device.createBuffer({ label: 'clock', size: 16, usage });
    this.buffers = [
      buffer(GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC),
      buffer(GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST),
    ];
  }

  get writes(): GPUComputePassTimestampWrites {
    return { querySet: this.set, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 };
  }

  resolve(encoder: GPUCommandEncoder): void {
    const [resolved, readable] = this.buffers;
    encoder.resolveQuerySet(this.set, 0, 2, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, readable, 0, 16);
  }

  /** Milliseconds between the two, and the end of this clock. */
  async read(): Promise<number> {
    const [, readable] = this.buffers;
    try {
      await readable.mapAsync(GPUMapMode.READ);
      const [begin, end] = new BigUint64Array(readable.getMappedRange());
      return end > begin ? Number(end - begin) / 1e6 : 0;
    } finally {
      for (const buffer of this.buffers) buffer.destroy();
      this.set.destroy();
    }
  }
}

const byteLength = (t: TensorRef): number => alignUp(sizeOf(t.shape) * bytesPerElement[t.dtype], 64);
const tensorsOf = ({ inputs, outputs }: Step): TensorRef[] => [...inputs, ...outputs];
const bytesOf = (step: Step): number => tensorsOf(step).reduce((sum, t) => sum + byteLength(t), 0);

/** A plan of this step only, its tensors one behind the other. */
function alone(step: Step): Plan {
  let at = 0;
  const moved = (t: TensorRef): TensorRef => {
    if (t.apart !== undefined) return t;
    const offset = at;
    at += byteLength(t);
    return { ...t, offset };
  };
  const steps = [{ ...step, inputs: step.inputs.map(moved), outputs: step.outputs.map(moved) }];
  const memory = { persistentBytes: 0, temporaryBytes: at, temporaryBytesWithoutReuse: at };
  return { name: `timing ${step.op}`, arenaBytes: Math.max(64, at), steps, slots: {}, constants: [], memory };
}
