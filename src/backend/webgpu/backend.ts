import { fail } from '../../core/errors.ts';
import { alignUp } from '../../graph/memory.ts';
import type { Plan, Step } from '../../graph/plan.ts';
import { showType } from '../../ops/check.ts';
import type { Backend, Program, Unsupported } from '../backend.ts';
import { type AdapterDescription, DeviceHealth, describeDevice, requestDevice } from './device.ts';
import { kernels } from './kernels.ts';
import { Pipelines } from './pipelines.ts';
import { type ProgramParts, type Recorded, WebgpuProgram } from './program.ts';
import { ARGS_STRIDE, type Dispatch, encodeArgs } from './record.ts';

export { describeAdapter } from './device.ts';

export interface WebgpuOptions {
  /** Where adapters come from: navigator.gpu, or Dawn in Node. */
  readonly gpu?: GPU;
  /** A device of the caller's: used, and never destroyed. */
  readonly device?: GPUDevice;
}

/** Makes the WebGPU backend. Throws 'unavailable' where there is no adapter or device. */
export async function createWebgpuBackend({ gpu, device }: WebgpuOptions): Promise<WebgpuBackend> {
  if (device) return new WebgpuBackend(device, describeDevice(device), false);
  if (!gpu) return fail('invalid_argument', 'the webgpu backend needs a gpu or a device');
  const made = await requestDevice(gpu);
  return new WebgpuBackend(made.device, made.adapter, true);
}

export class WebgpuBackend implements Backend {
  readonly name = 'webgpu';
  readonly threads = 1;
  readonly build: string;
  readonly description: string;
  /** Runs on a GPU simulated on the CPU. */
  readonly software: boolean;
  allocatedBytes = 0;
  readonly device: GPUDevice;
  private readonly owned: boolean;
  private readonly health: DeviceHealth;
  private readonly pipelines: Pipelines;
  private readonly programs = new Set<WebgpuProgram>();
  private disposed = false;

  constructor(device: GPUDevice, adapter: AdapterDescription, owned: boolean) {
    this.device = device;
    this.description = adapter.description;
    this.build = adapter.description.replace(/^WebGPU on /, '');
    this.software = adapter.software;
    this.owned = owned;
    this.health = new DeviceHealth(device);
    this.pipelines = new Pipelines(device);
  }

  supports(step: Step): true | Unsupported {
    const kernel = kernels[step.op];
    return 'reason' in kernel ? kernel : true;
  }

  async compile(plan: Plan): Promise<Program> {
    this.health.check();
    const steps = plan.steps.flatMap((step) =>
      this.dispatchesOf(plan, step).map((dispatch) => ({ step, dispatch })),
    );
    const pipelines = await this.health.during(
      Promise.all(
        steps.map(({ step, dispatch }) =>
          this.pipelines.get(
            dispatch.shader,
            `${plan.name}: ${step.op}(${step.inputs.map(showType).join(', ')})`,
          ),
        ),
      ),
    );
    const recording: Recorded[] = steps.map(({ step, dispatch }, index) => ({
      section: step.section,
      pipeline: pipelines[index],
      index,
      workgroups: dispatch.workgroups,
    }));
    const parts = await this.allocate(
      plan,
      steps.map((s) => s.dispatch),
      recording,
    );
    const program: WebgpuProgram = new WebgpuProgram(plan, parts, () => this.programs.delete(program));
    this.programs.add(program);
    for (const c of plan.constants) this.writeConstant(parts.arena, c);
    return program;
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    // A caller's device lives on, so what was taken from it is given back here.
    for (const program of this.programs) program.dispose();
    this.health.close();
    if (this.owned) this.device.destroy();
  }

  /** A step's dispatches; those with nothing to do are left out. */
  private dispatchesOf(plan: Plan, step: Step): Dispatch[] {
    const kernel = kernels[step.op];
    if ('reason' in kernel) fail('unsupported', `${plan.name}: ${step.op}: ${kernel.reason}`);
    return kernel.encode(step).filter((d) => d.workgroups > 0);
  }

  /** The arena, the arguments and their bind group, with what the device says about them. */
  private async allocate(plan: Plan, dispatches: Dispatch[], recording: Recorded[]): Promise<ProgramParts> {
    const { device, health, pipelines } = this;
    const size = alignUp(plan.arenaBytes, 16);
    const most = Math.min(device.limits.maxBufferSize, device.limits.maxStorageBufferBindingSize);
    if (size > most)
      fail(
        'out_of_memory',
        `${plan.name} needs ${size} bytes in one buffer; this device allows ${most} ` +
          `(maxBufferSize ${device.limits.maxBufferSize}, maxStorageBufferBindingSize ` +
          `${device.limits.maxStorageBufferBindingSize}). Use a smaller batch or model`,
      );
    device.pushErrorScope('validation');
    device.pushErrorScope('out-of-memory');
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const arena = device.createBuffer({ label: `${plan.name}: arena`, size, usage });
    const bytes = encodeArgs(dispatches);
    const args = device.createBuffer({
      label: `${plan.name}: arguments`,
      size: bytes.byteLength,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    device.queue.writeBuffer(args, 0, bytes);
    const bindGroup = device.createBindGroup({
      layout: pipelines.bindGroupLayout,
      entries: [
        { binding: 0, resource: { buffer: arena } },
        { binding: 1, resource: { buffer: args, size: ARGS_STRIDE } },
      ],
    });
    const [memory, validation] = await health.during(
      Promise.all([device.popErrorScope(), device.popErrorScope()]),
    );
    if (memory || validation) {
      arena.destroy();
      args.destroy();
    }
    if (memory)
      fail('out_of_memory', `${plan.name}: the GPU could not give ${size} bytes: ${memory.message}`);
    if (validation) fail('internal', `${plan.name}: WebGPU refused its buffers: ${validation.message}`);
    const account = (n: number) => {
      this.allocatedBytes += n;
    };
    return { device, health, arena, args, bindGroup, recording, account };
  }

  private writeConstant(arena: GPUBuffer, { offset, data }: Plan['constants'][number]): void {
    if (data.byteLength === 0) return;
    const whole = new Uint8Array(alignUp(data.byteLength, 4));
    whole.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    this.device.queue.writeBuffer(arena, offset, whole);
  }
}
