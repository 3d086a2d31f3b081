import { fail } from '../../core/errors.ts';
import { alignUp } from '../../graph/memory.ts';
import type { Plan, Step } from '../../graph/plan.ts';
import type { Backend, Source, Unsupported } from '../backend.ts';
import { type LaidOutEntry, Layout } from '../entries.ts';
import { describePlan, describeStep, largestStep } from '../program.ts';
import { type AdapterDescription, DeviceHealth, describeDevice, requestDevice } from './device.ts';
import { encodeSteps, scratchBehind, wordsBehind } from './encode.ts';
import { kernelOf } from './kernels/index.ts';
import { Pipelines } from './pipelines.ts';
import { type ProgramParts, WebgpuProgram } from './program.ts';
import { ARGS_STRIDE, MOST_INDEXED } from './record.ts';
import { type Recorded, Recording, type RecordingDraft, recordingDrafts } from './recording.ts';
import { type TuneOptions, Tuner } from './tune.ts';

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
  private readonly onProgress: WebgpuOptions['onProgress'];
  private readonly programs = new Set<WebgpuProgram>();
  private disposed = false;

  constructor(device: GPUDevice, adapter: AdapterDescription, owned: boolean, options: WebgpuOptions = {}) {
    this.device = device;
    this.description = adapter.description;
    this.build = adapter.description.replace(/^WebGPU on /, '');
    this.software = adapter.software;
    this.owned = owned;
    this.onProgress = options.onProgress;
    this.health = new DeviceHealth(device);
    this.pipelines = new Pipelines(device, device.features.has('subgroups') && options.subgroups !== false);
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
    const layout = new Layout(source);
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
    const scratch = scratchBehind(layout.arenaBytes, (s) => {
      for (const { entry, most, configOf } of drafts) encodeSteps(entry.at(most), configOf, s);
    });
    const size = alignUp(layout.arenaBytes + 4 * wordsBehind(layout.arenaBytes, scratch), 16);
    this.checkSize(plan, size);
    const recordings = new Map<LaidOutEntry, Recording[]>();
    let dispatches = 0;
    for (const { entry, ...draft } of drafts) {
      const recording = new Recording(entry, draft, scratch, dispatches);
      dispatches += recording.steps.length;
      recordings.set(entry, [...(recordings.get(entry) ?? []), recording]);
    }
    await this.compilePipelines(plan, [...recordings.values()].flat());
    const parts = await this.allocate(plan, size, recordings);
    const program: WebgpuProgram = new WebgpuProgram(layout, parts, () => this.programs.delete(program));
    this.programs.add(program);
    for (const c of layout.constants) this.writeConstant(parts.arena, c);
    program.prepare();
    return program;
  }

  /** Pipelines of all dispatches, side by side. An error names the op and its types. */
  private async compilePipelines(plan: Plan, recordings: readonly Recording[]): Promise<void> {
    let done = 0;
    const total = recordings.reduce((sum, r) => sum + r.steps.length, 0);
    const tell = () => this.onProgress?.({ plan: plan.name, done, total });
    await tell();
    const compiled = recordings.map(async (recording) => {
      recording.dispatches = await Promise.all(
        recording.steps.map(async ({ step, dispatch }, i): Promise<Recorded> => {
          const pipeline = await this.pipelines.get(dispatch.shader, `${plan.name}: ${describeStep(step)}`);
          done++;
          await tell();
          return {
            ...{ section: step.section, pipeline },
            ...{ index: recording.first + i, once: dispatch.once === true },
          };
        }),
      );
    });
    await this.health.during(describePlan(plan), Promise.all(compiled));
  }

  private checkSize(plan: Plan, size: number): void {
    const { maxBufferSize, maxStorageBufferBindingSize } = this.device.limits;
    const most = Math.min(maxBufferSize, maxStorageBufferBindingSize, MOST_INDEXED);
    if (size > most)
      fail(
        'out_of_memory',
        `${describePlan(plan)} needs ${size} bytes in one buffer; this device allows ${most} ` +
          `(maxBufferSize ${maxBufferSize}, maxStorageBufferBindingSize ` +
          `${maxStorageBufferBindingSize}). Its largest step is ${largestStep(plan)}; use a smaller batch or model`,
      );
  }

  /** Gives back all programs' buffers, and the device where it is the backend's own. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    // A caller's device lives on, so what was taken from it is given back here.
    for (const program of this.programs) program.dispose();
    this.health.close();
    if (this.owned) this.device.destroy();
  }

  /** The arena, the arguments and their bind group, with what the device says about them. */
  private async allocate(
    plan: Plan,
    size: number,
    recordings: ReadonlyMap<LaidOutEntry, readonly Recording[]>,
  ): Promise<ProgramParts> {
    const { device, health, pipelines } = this;
    device.pushErrorScope('validation');
    device.pushErrorScope('out-of-memory');
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const arena = device.createBuffer({ label: `${plan.name}: arena`, size, usage });
    const all = [...recordings.values()].flat();
    const args = device.createBuffer({
      label: `${plan.name}: arguments`,
      size: ARGS_STRIDE * Math.max(1, ...all.map((r) => r.first + r.steps.length)),
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    for (const r of all)
      if (r.steps.length) device.queue.writeBuffer(args, r.first * ARGS_STRIDE, r.at(r.rows).args);
    const bindGroup = device.createBindGroup({
      layout: pipelines.bindGroupLayout,
      entries: [
        { binding: 0, resource: { buffer: arena } },
        { binding: 1, resource: { buffer: args, size: ARGS_STRIDE } },
      ],
    });
    const what = describePlan(plan);
    const [memory, validation] = await health.during(
      what,
      Promise.all([device.popErrorScope(), device.popErrorScope()]),
    );
    if (memory || validation) {
      arena.destroy();
      args.destroy();
    }
    if (memory)
      fail(
        'out_of_memory',
        `${what}: the GPU could not give ${size} bytes: ${memory.message}. Its largest step is ${largestStep(plan)}`,
      );
    if (validation) fail('internal', `${what}: WebGPU refused its buffers: ${validation.message}`);
    const account = (n: number) => {
      this.allocatedBytes += n;
    };
    return { device, health, arena, args, bindGroup, recordings, account };
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
