import { fail } from '../../core/errors.ts';
import { alignUp } from '../../graph/memory.ts';
import type { Plan, Step } from '../../graph/plan.ts';
import type { Backend, Source, Unsupported } from '../backend.ts';
import { type LaidOutEntry, Layout } from '../entries.ts';
import { describePlan, describeStep, largestStep } from '../program.ts';
import { constantsApart } from './apart.ts';
import { type AdapterDescription, DeviceHealth, describeDevice, requestDevice } from './device.ts';
import { type EncodedStep, encodeSteps } from './encode.ts';
import { kernelOf } from './kernels/index.ts';
import { Pipelines } from './pipelines.ts';
import { type ProgramParts, WebgpuProgram } from './program.ts';
import { ARGS_STRIDE, MOST_INDEXED, type Shader } from './record.ts';
import { Recording, type RecordingDraft, recordingDrafts } from './recording.ts';
import { Scratch } from './scratch.ts';
import { type TuneOptions, Tuner } from './tune.ts';
import {
  type Complaints,
  type KnownWeights,
  makerOf,
  type SharedWeights,
  WeightReader,
  WeightStore,
  weightBytes,
} from './weights.ts';

export { describeAdapter } from './device.ts';

export interface WebgpuOptions extends TuneOptions {
  /** Where adapters come from: navigator.gpu, or Dawn in Node. */
  readonly gpu?: GPU;
  /** A device of the caller's: used, and never destroyed. */
  readonly device?: GPUDevice;
  /** False leaves subgroups alone where the device has them. */
  readonly subgroups?: boolean;
  /** Told how far compiling is: shaders are what users wait for. */
  readonly onProgress?: (progress: CompileProgress) => void;
}

/** How far a plan's shaders are compiled. */
export interface CompileProgress {
  /** The plan's name. */
  readonly plan: string;
  /** Pipelines compiled so far, and in all. */
  readonly done: number;
  /** Pipelines of the plan. */
  readonly total: number;
}

/** Makes the WebGPU backend. Throws 'unavailable' where there is no adapter or device. */
export async function createWebgpuBackend(options: WebgpuOptions): Promise<WebgpuBackend> {
  const { gpu, device } = options;
  if (device) return new WebgpuBackend(device, describeDevice(device), false, options);
  if (!gpu) return fail('invalid_argument', 'the webgpu backend needs a gpu or a device');
  const made = await requestDevice(gpu);
  try {
    return new WebgpuBackend(made.device, made.adapter, true, options);
  } catch (error) {
    made.device?.destroy();
    throw error;
  }
}

/** A dispatch, and the values of the weights that it reads. */
interface Work {
  readonly encoded: EncodedStep;
  readonly weights: KnownWeights | undefined;
}

/** What runs it, and what makes its weights. */
interface Pipelined {
  readonly pipeline: GPUComputePipeline;
  readonly making: GPUComputePipeline | undefined;
}

/** Compiles plans for a GPU; `createEngine()` makes one. */
export class WebgpuBackend implements Backend {
  /** Always 'webgpu'. */
  readonly name = 'webgpu';
  /** Always 1: what runs side by side on a GPU are not threads of the program. */
  readonly threads = 1;
  readonly build: string;
  readonly description: string;
  /** Runs on a GPU simulated on the CPU. */
  readonly software: boolean;
  allocatedBytes = 0;
  /** The device it computes on, for code that shares it. */
  readonly device: GPUDevice;
  /** Which configuration each product takes. */
  readonly tuner: Tuner;
  private readonly owned: boolean;
  private readonly health: DeviceHealth;
  private readonly pipelines: Pipelines;
  private readonly weights: WeightStore;
  private readonly onProgress: WebgpuOptions['onProgress'];
  private readonly programs = new Set<WebgpuProgram>();
  private disposed = false;
  private readonly account = (bytes: number): void => {
    this.allocatedBytes += bytes;
  };

  constructor(device: GPUDevice, adapter: AdapterDescription, owned: boolean, options: WebgpuOptions = {}) {
    this.device = device;
    this.description = adapter.description;
    this.build = adapter.description.replace(/^WebGPU on /, '');
    this.software = adapter.software;
    this.owned = owned;
    this.onProgress = options.onProgress;
    this.health = new DeviceHealth(device);
    this.pipelines = new Pipelines(device, device.features.has('subgroups') && options.subgroups !== false);
    this.weights = new WeightStore(device, this.pipelines, this.account);
    const traits = {
      ...{ software: adapter.software, packedDot: hasPackedDot(options.gpu) },
      ...options.traits,
    };
    this.tuner = new Tuner(device, this.pipelines, this.build, traits, options);
  }

  /** Whether it has a shader for a step, or why not. */
  supports(step: Step): true | Unsupported {
    const kernel = kernelOf(step.op);
    return 'reason' in kernel ? kernel : true;
  }

  async compile(source: Source): Promise<WebgpuProgram> {
    const layout = new Layout(source, constantsApart);
    const { plan } = layout.first;
    const what = describePlan(plan);
    this.health.check(what);
    this.checkSize(plan, layout.arenaBytes);
    const drafts: (RecordingDraft & { entry: LaidOutEntry })[] = [];
    for (const entry of layout.entries) {
      const own = await this.health.during(
        what,
        recordingDrafts(entry, (p) => this.tuner.choose(p)),
      );
      drafts.push(...own.map((draft) => ({ ...draft, entry })));
    }
    const scratch = new Scratch(layout.arenaBytes);
    for (const { entry, most, configOf } of drafts) encodeSteps(entry.at(most), configOf, scratch);
    this.checkSize(plan, scratch.end);
    const recordings = new Map<LaidOutEntry, Recording[]>();
    let dispatches = 0;
    for (const { entry, ...draft } of drafts) {
      const recording = new Recording(entry, draft, scratch, dispatches);
      dispatches += recording.steps.length;
      recordings.set(entry, [...(recordings.get(entry) ?? []), recording]);
    }
    const all = [...recordings.values()].flat();
    const reader = new WeightReader((index) => layout.constants[index].data);
    const work = all.flatMap(({ steps }) =>
      steps.map((encoded): Work => {
        const { weights } = encoded.dispatch;
        if (weights) this.checkSize(plan, weightBytes(weights), encoded.step);
        return { encoded, weights: weights && reader.know(weights) };
      }),
    );
    const pipelines = await this.compilePipelines(plan, work);
    const parts = await this.allocate(plan, scratch.end, recordings, work, pipelines);
    const program: WebgpuProgram = new WebgpuProgram(layout, parts, () => this.programs.delete(program));
    this.programs.add(program);
    for (const c of layout.constants) if (c.apart === undefined) this.writeConstant(parts.arena, c);
    return program;
  }

  /** Pipelines of all dispatches and of what makes their weights, side by side. An error names the op and its types. */
  private async compilePipelines(plan: Plan, work: readonly Work[]): Promise<Pipelined[]> {
    let done = 0;
    const tell = () => this.onProgress?.({ plan: plan.name, done, total: work.length });
    await tell();
    const compiled = work.map(async ({ encoded: { step, dispatch }, weights }): Promise<Pipelined> => {
      const get = (shader: Shader) => this.pipelines.get(shader, `${plan.name}: ${describeStep(step)}`);
      const maker = weights && makerOf(weights.weights);
      const [pipeline, making] = await Promise.all([get(dispatch.shader), maker && get(maker)]);
      done++;
      await tell();
      return { pipeline, making };
    });
    return this.health.during(describePlan(plan), Promise.all(compiled));
  }

  /** Throws unless a buffer can be bound: the arena, or the weights of one step. */
  private checkSize(plan: Plan, size: number, reader?: Step): void {
    const { maxBufferSize, maxStorageBufferBindingSize } = this.device.limits;
    const most = Math.min(maxBufferSize, maxStorageBufferBindingSize, MOST_INDEXED);
    if (size > most)
      fail(
        'out_of_memory',
        `${describePlan(plan)} needs ${size} bytes in one buffer${reader ? ` for the weights of ${describeStep(reader)}` : ''}; ` +
          `this device allows ${most} (maxBufferSize ${maxBufferSize}, maxStorageBufferBindingSize ` +
          `${maxStorageBufferBindingSize}). ` +
          (reader
            ? 'Divide the layer'
            : `Its largest step is ${largestStep(plan)}; use a smaller batch or model`),
      );
  }

  /** Gives back all programs' buffers, and the device where it is the backend's own. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    // A caller's device lives on, so what was taken from it is given back here.
    for (const program of this.programs) program.dispose();
    this.health.close();
    this.pipelines.dispose();
    if (this.owned) this.device.destroy();
  }

  /** The arena, the arguments, the weights and what binds them, with what the device says about them. */
  private async allocate(
    plan: Plan,
    size: number,
    recordings: ReadonlyMap<LaidOutEntry, readonly Recording[]>,
    work: readonly Work[],
    pipelines: readonly Pipelined[],
  ): Promise<ProgramParts> {
    const { device, health, account } = this;
    device.pushErrorScope('validation');
    device.pushErrorScope('out-of-memory');
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const arena = device.createBuffer({ label: `${plan.name}: arena`, size, usage });
    const args = device.createBuffer({
      label: `${plan.name}: arguments`,
      size: ARGS_STRIDE * Math.max(1, work.length),
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    const all = [...recordings.values()].flat();
    for (const r of all)
      if (r.steps.length) device.queue.writeBuffer(args, r.first * ARGS_STRIDE, r.at(r.rows).args);
    const taken = new Map<string, SharedWeights>();
    const groups = new Map<string, GPUBindGroup>();
    const bindGroups = work.map(({ weights }, i) => {
      const key = weights?.key ?? '';
      if (weights && !taken.has(key)) taken.set(key, this.weights.take(weights, pipelines[i].making));
      const group = groups.get(key) ?? this.pipelines.bind(arena, args, taken.get(key)?.buffer);
      groups.set(key, group);
      return group;
    });
    const complaints: Complaints = Promise.all([device.popErrorScope(), device.popErrorScope()]);
    const weights = [...taken.values()];
    // Whoever shares what another program is being given waits for what the device says to that one, too.
    for (const shared of weights) shared.complaints ??= complaints;
    const release = (shared: SharedWeights) => this.weights.release(shared);
    const giveBack = () => {
      arena.destroy();
      args.destroy();
      weights.forEach(release);
    };
    const what = describePlan(plan);
    let said: Awaited<Complaints>[];
    try {
      said = await health.during(what, Promise.all([complaints, ...weights.map((w) => w.complaints!)]));
    } catch (error) {
      giveBack();
      throw error;
    }
    const memory = said.map(([m]) => m).find((m) => m);
    const validation = said.map(([, v]) => v).find((v) => v);
    if (memory || validation) giveBack();
    if (memory) {
      const all = weights.reduce((sum, { buffer }) => sum + buffer.size, size);
      fail(
        'out_of_memory',
        `${what}: the GPU could not give ${all} bytes: ${memory.message}. Its largest step is ${largestStep(plan)}`,
      );
    }
    if (validation) fail('internal', `${what}: WebGPU refused its buffers: ${validation.message}`);
    for (const r of all)
      r.dispatches = r.steps.map(({ step }, i) => {
        const index = r.first + i;
        return {
          section: step.section,
          pipeline: pipelines[index].pipeline,
          bindGroup: bindGroups[index],
          index,
        };
      });
    return { device, health, arena, args, weights, release, recordings, account };
  }

  private writeConstant(arena: GPUBuffer, { offset, data }: Plan['constants'][number]): void {
    if (data.byteLength === 0) return;
    const whole = new Uint8Array(alignUp(data.byteLength, 4));
    whole.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    this.device.queue.writeBuffer(arena, offset, whole);
  }
}

/** Whether WGSL has dot4I8Packed here; it may still be slower than plain arithmetic. */
function hasPackedDot(gpu = globalThis.navigator?.gpu): boolean {
  return gpu?.wgslLanguageFeatures?.has('packed_4x8_integer_dot_product') === true;
}
