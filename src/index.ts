import { ReferenceBackend } from './backend/reference/backend.ts';
import { createWasmBackend } from './backend/wasm/backend.ts';
import { inspectFrozen } from './backend/wasm/frozen/file.ts';
import { freezePlans } from './backend/wasm/frozen/freeze.ts';
import type { FrozenInfo } from './backend/wasm/frozen/info.ts';
import type { TileWish } from './backend/wasm/tiles.ts';
import { type CompileProgress, createWebgpuBackend, describeAdapter } from './backend/webgpu/backend.ts';
import { nodeGPU } from './backend/webgpu/node.ts';
import type { GpuCache } from './backend/webgpu/tune.ts';
import { BiphaseError, fail } from './core/errors.ts';
import { FrozenModel } from './passes/frozen.ts';
import type { QuantizedModel } from './passes/quantize.ts';
import { type ServingOptions, servingPlan } from './passes/serving.ts';
import { type BackendName, choose, type Probe, type Provider } from './scheduler/choose.ts';
import { Engine } from './scheduler/engine.ts';

export interface EngineOptions {
  /** 'auto' (the default) looks for all and picks; a name takes that one or fails with the reason. */
  readonly backend?: BackendName | 'auto';
  /** Threads of the wasm backend, the caller's included; if not given, one for each processor, up to 8. */
  readonly threads?: number;
  /** Instructions of the wasm backend; the best that the engine has if not given. */
  readonly build?: 'simd128' | 'relaxed';
  /** Tiles of the wasm backend's products: timed at start-up if not given. */
  readonly tiles?: TileWish;
  /** A WebGPU implementation, where there is no `navigator.gpu`. */
  readonly gpu?: GPU;
  /** A WebGPU device of the caller's; it is used and never destroyed. */
  readonly device?: GPUDevice;
  /** Where the WebGPU backend keeps which kernels were fastest on which adapter, so that they are timed only once. */
  readonly gpuCache?: GpuCache;
  /** Whether the WebGPU backend times its kernels at first use; if not given, wherever the GPU is a real one. */
  readonly tune?: boolean;
  /** Told how far the WebGPU backend is in compiling a plan's shaders. */
  readonly onProgress?: (progress: CompileProgress) => void;
}

/**
 * Finds a backend and makes an engine on it. `engine.describe()` says what was found and what was chosen, and why.
 * Throws BiphaseError: 'unavailable' where nothing can serve, 'invalid_argument' for an unknown backend.
 */
export async function createEngine(options: EngineOptions = {}): Promise<Engine> {
  const choice = await choose([wasm(options), webgpu(options), reference], options.backend ?? 'auto');
  return new Engine(await choice.provider.create(), choice);
}

export interface FreezeOptions extends ServingOptions {
  /** Most samples of one run: 1 to 65536, 64 if not given. An instance has memory for so many. */
  readonly maxBatch?: number;
  /** Use relaxed SIMD: faster in hosts that have it, refused by hosts that don't. The bits of an int8 model stay the same. */
  readonly relaxed?: boolean;
  /** Freeze a model that is not quantized. Its results are within the bounds of docs/NUMERICS.md, not bit-identical. */
  readonly f32?: boolean;
}

/**
 * Writes a quantized model as one WebAssembly module: weights, plan and kernels, no imports; docs/ABI.md says how any
 * host runs it. The same model and options give the same bytes.
 *
 * Throws BiphaseError: 'invalid_argument' for a bad option or an f32 model without `f32: true`; 'unsupported' for a model
 * whose ops depend on the batch size, or options that it can't have; 'out_of_memory' where maxBatch needs over 4 GiB.
 */
export async function freeze(
  model: QuantizedModel | FrozenModel,
  options: FreezeOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { maxBatch = 64, relaxed = false, f32 = false } = options;
  if (!Number.isInteger(maxBatch) || maxBatch < 1 || maxBatch > 65536)
    fail('invalid_argument', `maxBatch is ${maxBatch}, expected a whole number from 1 to 65536`);
  if (model instanceof FrozenModel && !f32)
    fail(
      'invalid_argument',
      'this model is not quantized: freeze what engine.quantize() returns, or pass f32: true',
    );
  const { input, output } = servingPlan(model, 1, options);
  const planOf = (batch: number) => servingPlan(model, batch, options).plan;
  return freezePlans({ planOf, maxBatch, build: relaxed ? 'relaxed' : 'simd128', input, output });
}

/**
 * What is in a frozen file: layers, shapes, scales, bytes, ABI version. Nothing is compiled or run.
 * Throws BiphaseError: 'invalid_data' for what is no frozen file, or one that was cut off or changed since;
 * 'unsupported' for one with a newer ABI.
 */
export function inspect(bytes: Uint8Array): FrozenInfo {
  return inspectFrozen(bytes);
}

const wasm = ({ build, threads, tiles }: EngineOptions): Provider => {
  const create = () => createWasmBackend({ build, threads, tiles });
  return {
    name: 'wasm',
    create,
    probe: () =>
      probing(async () => {
        const backend = await create();
        backend.dispose();
        return { available: true, description: backend.description };
      }),
  };
};

const webgpu = ({ gpu, device, gpuCache, tune, onProgress }: EngineOptions): Provider => {
  const find = async (): Promise<GPU> => {
    const found = gpu ?? (await nodeGPU());
    return typeof found === 'string' ? fail('unavailable', found) : found;
  };
  return {
    name: 'webgpu',
    create: async () =>
      createWebgpuBackend({
        ...(device ? { device, gpu } : { gpu: await find() }),
        ...{ cache: gpuCache, tune, onProgress },
      }),
    probe: () =>
      probing(async () => {
        if (device) return { available: true, description: "the caller's device" };
        return { available: true, ...(await describeAdapter(await find())) };
      }),
  };
};

const reference: Provider = {
  name: 'reference',
  create: async () => new ReferenceBackend(),
  probe: async () => ({ available: true, description: new ReferenceBackend().description }),
};

/** Turns 'unavailable' into a finding; other errors (a bad option, say) stay errors. */
async function probing(look: () => Promise<Probe>): Promise<Probe> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof BiphaseError && error.code === 'unavailable')
      return { available: false, reason: error.message };
    throw error;
  }
}

export type { Backend, Program } from './backend/backend.ts';
export type { FrozenInfo, FrozenLayer, FrozenTensor } from './backend/wasm/frozen/info.ts';
export type { CompileProgress, WebgpuBackend } from './backend/webgpu/backend.ts';
export type { WebgpuProgram } from './backend/webgpu/program.ts';
export type { GpuCache } from './backend/webgpu/tune.ts';
export type { DType, TypedArray } from './core/dtype.ts';
export { BiphaseError, type ErrorCode } from './core/errors.ts';
export { Random } from './core/random.ts';
export type { Shape } from './core/shape.ts';
export * as data from './data/index.ts';
export { differentiate } from './graph/autodiff.ts';
export { buildPlan } from './graph/build-plan.ts';
export * as ops from './graph/functions.ts';
export type { Plan, Section, Slot, Step } from './graph/plan.ts';
export { Tensor, Tracer } from './graph/trace.ts';
export * as nn from './nn/index.ts';
export * as optim from './optim/index.ts';
export type { CalibrationMethod } from './passes/calibrate.ts';
export { FrozenModel } from './passes/frozen.ts';
export type { QuantizedModel, QuantizedOp } from './passes/quantize.ts';
export type { ServingOptions } from './passes/serving.ts';
export type { BackendName, Finding } from './scheduler/choose.ts';
export type { Engine, InferOptions } from './scheduler/engine.ts';
export type { ExplainedBackend, Explanation } from './scheduler/explain.ts';
export type { CheckpointOptions, FitOptions, StepReport, TrainingOptions } from './scheduler/fit-options.ts';
export type { Inference } from './scheduler/inference.ts';
export type { Part, Prediction } from './scheduler/predict.ts';
export type { Predictor, PredictorOptions } from './scheduler/predictor.ts';
export type { PredictorCost, PredictorStats } from './scheduler/predictor-stats.ts';
export type { Recovery, RecoveryOptions } from './scheduler/stepper.ts';
export type { Training } from './scheduler/training.ts';
export type { TrainingCost } from './scheduler/training-cost.ts';
