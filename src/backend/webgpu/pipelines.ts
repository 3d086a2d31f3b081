import { fail } from '../../core/errors.ts';
import { shaders } from '../../generated/shaders.ts';
import { ARGS_STRIDE, type Shader } from './record.ts';

/** Compiled kernels of one device: each (files, constants) once. */
export class Pipelines {
  private readonly bindGroupLayout: GPUBindGroupLayout;
  private readonly nothing: GPUBuffer;
  private readonly device: GPUDevice;
  private readonly subgroups: boolean;
  private readonly layout: GPUPipelineLayout;
  private readonly modules = new Map<string, GPUShaderModule>();
  private readonly pipelines = new Map<string, Promise<GPUComputePipeline>>();

  /** `subgroups`: reductions go through them; the device must have the feature. */
  constructor(device: GPUDevice, subgroups: boolean) {
    this.device = device;
    this.subgroups = subgroups;
    this.bindGroupLayout = device.createBindGroupLayout({
      entries: [
        { binding: 0, visibility: GPUShaderStage.COMPUTE, buffer: { type: 'storage' } },
        {
          binding: 1,
          visibility: GPUShaderStage.COMPUTE,
          buffer: { type: 'uniform', hasDynamicOffset: true },
        },
        { binding: 2, visibility: GPUShaderStage.COMPUTE, buffer: { type: 'read-only-storage' } },
      ],
    });
    // A layout wants something at every binding, also for shaders that look at none.
    this.nothing = device.createBuffer({ label: 'no weights', size: 16, usage: GPUBufferUsage.STORAGE });
    this.layout = device.createPipelineLayout({ bindGroupLayouts: [this.bindGroupLayout] });
  }

  /** What dispatches are bound to: the arena, their arguments (at dynamic offsets), and weights if they read some. */
  bind(arena: GPUBuffer, args: GPUBuffer, weights = this.nothing): GPUBindGroup {
    return this.device.createBindGroup({
      layout: this.bindGroupLayout,
      entries: [
        { binding: 0, resource: { buffer: arena } },
        { binding: 1, resource: { buffer: args, size: ARGS_STRIDE } },
        { binding: 2, resource: { buffer: weights } },
      ],
    });
  }

  /** Gives back what all dispatches share. */
  dispose(): void {
    this.nothing.destroy();
  }

  /** Compiles without blocking; pipelines asked for together compile side by side. `what` is for the error. */
  get(shader: Shader, what: string): Promise<GPUComputePipeline> {
    const key = JSON.stringify(shader);
    const known = this.pipelines.get(key);
    if (known) return known;
    const pipeline = this.compile(shader, what);
    this.pipelines.set(key, pipeline);
    // A failure is not remembered: the next compile tries again.
    pipeline.catch(() => this.pipelines.delete(key));
    return pipeline;
  }

  private async compile({ files, constants, quads }: Shader, what: string): Promise<GPUComputePipeline> {
    const name = files.join('+');
    try {
      return await this.device.createComputePipelineAsync({
        label: name,
        layout: this.layout,
        compute: {
          module: this.module(quads ? 'arena_quads' : 'arena_words', files),
          entryPoint: 'main',
          constants: { ...constants },
        },
      });
    } catch (cause) {
      return fail('internal', `${what}: the GPU refused the shader ${name}: ${(cause as Error).message}`, {
        cause,
      });
    }
  }

  private module(arena: string, files: readonly string[]): GPUShaderModule {
    const name = [arena, ...files].join('+');
    const known = this.modules.get(name);
    if (known) return known;
    const reduces = files.includes('workgroup');
    const workgroup = this.subgroups ? 'workgroup_subgroups' : 'workgroup_memory';
    const code = [arena, 'prelude', ...files.map((f) => (f === 'workgroup' ? workgroup : f))].map(
      (f) => shaders[f as keyof typeof shaders] ?? fail('internal', `no shader ${f}`),
    );
    // WGSL wants it before all else, so the file that needs it can't say it.
    if (reduces && this.subgroups) code.unshift('enable subgroups;');
    const module = this.device.createShaderModule({ label: name, code: code.join('\n') });
    this.modules.set(name, module);
    return module;
  }
}
