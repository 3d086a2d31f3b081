import { checkApart } from './apart.ts';
import { inspectFrozen } from './backend/wasm/frozen/file.ts';
import { freezePlans } from './backend/wasm/frozen/freeze.ts';
import type { FrozenInfo } from './backend/wasm/frozen/info.ts';
import { type Bytes, bytesOf } from './core/arrays.ts';
import { anything, flag, texts, whole } from './core/checks.ts';
import { fail } from './core/errors.ts';
import { optionsOf } from './core/options.ts';
import { type ServingOptions, servingChecks, servingPlan } from './files/serving.ts';
import { type AnyFrozen, expectFinite, FrozenModel } from './model/frozen.ts';
import { reference } from './providers/reference.ts';
import { type WasmEngineOptions, wasm, wasmChecks } from './providers/wasm.ts';
import { type WebgpuEngineOptions, webgpu, webgpuChecks } from './providers/webgpu.ts';
import type { AnyQuantized } from './quantize/quantize.ts';
import { type BackendName, choose } from './scheduler/choose/choose.ts';
import { Engine } from './scheduler/engine.ts';

/** What an engine is to run on, and options of each backend that may serve it. */
export interface EngineOptions extends WasmEngineOptions, WebgpuEngineOptions {
  /** 'auto' (the default) looks for all and picks; a name takes that one or fails with the reason. */
  readonly backend?: BackendName | 'auto';
}

const checkEngine = optionsOf<EngineOptions>('createEngine', {
  ...wasmChecks,
  ...webgpuChecks,
  backend: anything,
});

/**
 * Finds a backend and makes an engine on it. `engine.describe()` says what was found and what was chosen, and why.
 * Throws BiphaseError, with the reason of every backend: 'unavailable' where nothing can serve, 'out_of_memory' where that is
 * for want of memory; 'invalid_argument' for an unknown backend or option.
 */
export async function createEngine(given?: EngineOptions): Promise<Engine> {
  const options = checkEngine(given);
  const choice = await choose([wasm(options), webgpu(options), reference], options.backend ?? 'auto');
  return new Engine(choice.backend, choice);
}

export interface ExportWasmOptions extends ServingOptions {
  /** Most samples of one run: 1 to 65536, 64 if not given. An instance has memory for so many. */
  readonly maxBatch?: number;
  /** Use relaxed SIMD: faster in hosts that have it, refused by hosts that don't. The bits of an int8 model stay the same. */
  readonly relaxed?: boolean;
  /** Freeze a model that is not quantized. Its results are within the bounds of docs/NUMERICS.md, not bit-identical. */
  readonly f32?: boolean;
  /** Anything to keep in the file's description, as text by name; `inspect()` gives it back. Hosts need not read it. */
  readonly notes?: Readonly<Record<string, string>>;
}

const checkExport = optionsOf<ExportWasmOptions>('exportWasm', {
  ...servingChecks,
  maxBatch: whole(1, 65536),
  relaxed: flag,
  f32: flag,
  notes: texts,
});

/**
 * Writes a quantized model as one WebAssembly module: weights, plan and kernels, no imports; docs/ABI.md says how any
 * host runs it. The same model and options give the same bytes.
 *
 * Throws BiphaseError: 'invalid_argument' for a bad option or an f32 model without `f32: true`; 'unsupported' for a model
 * whose ops depend on the batch size, or options that it can't have; 'out_of_memory' where maxBatch needs over 4 GiB.
 */
export async function exportWasm(
  model: AnyQuantized | AnyFrozen,
  given?: ExportWasmOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const options = checkExport(given);
  const { maxBatch = 64, relaxed = false, f32 = false, notes } = options;
  if (model instanceof FrozenModel && !f32)
    fail(
      'invalid_argument',
      'this model is not quantized: export what engine.quantize() returns, or pass f32: true',
    );
  expectFinite(model instanceof FrozenModel ? model : model.frozen, 'exportWasm');
  const { inputs, outputs } = servingPlan(model, 1, options);
  const planOf = (batch: number) => servingPlan(model, batch, options).plan;
  if (maxBatch > 1) await checkApart(planOf);
  return freezePlans({ planOf, maxBatch, build: relaxed ? 'relaxed' : 'simd128', inputs, outputs, notes });
}

/** The name that `exportWasm()` had. @deprecated Call `exportWasm()`. */
export const freeze = exportWasm;
/** The name that `ExportWasmOptions` had. @deprecated */
export type FreezeOptions = ExportWasmOptions;

/**
 * What is in a frozen file: layers, shapes, scales, bytes, ABI version. Nothing is compiled or run.
 * Throws BiphaseError: 'invalid_data' for what is no frozen file, or one that was cut off or changed since;
 * 'unsupported' for one with a newer ABI.
 */
export function inspect(bytes: Bytes): FrozenInfo {
  return inspectFrozen(bytesOf('inspect', bytes));
}

export type { FrozenInfo, FrozenLayer, FrozenTensor } from './backend/wasm/frozen/info.ts';
export type { WasmBuild, WasmModules } from './backend/wasm/load.ts';
export type { TileWish } from './backend/wasm/tiles.ts';
export type { WasmEngineOptions } from './providers/wasm.ts';
export type { WebgpuEngineOptions } from './providers/webgpu.ts';
export * from './public.ts';
