import type { TypedArray } from '../../src/core/dtype.ts';
import type { BenchCase } from './case.ts';

/** Engines to compare with, by the name of their module in peers/, and what they are called. */
export const peerNames = {
  tfjs: 'tfjs-backend-wasm',
  onnxruntime: 'onnxruntime-web',
  jax: '@jax-js/jax',
} as const;
export type PeerName = keyof typeof peerNames;

/** Native software to compare with, by the name of its Python package. */
export const nativeNames = { torch: 'PyTorch', jax: 'JAX' } as const;
export type NativeName = keyof typeof nativeNames;

/** Whether an engine of a report is native software. */
export const isNative = (engine: string): boolean => Object.values<string>(nativeNames).includes(engine);

/** Those that a backend is compared with. onnxruntime-web's WebGPU is made for pages. */
export const peersOn: Readonly<Record<'wasm' | 'webgpu', readonly PeerName[]>> = {
  wasm: ['tfjs', 'onnxruntime', 'jax'],
  webgpu: ['tfjs', 'jax'],
};

/** What this library is called in a report, and with vectors as an engine has them by itself, beside wide ones. */
export const OWN = 'biphase';
export const OWN_NARROW = 'biphase, narrow';
export const isOwn = (engine: string): boolean => engine === OWN || engine === OWN_NARROW;

/** An engine that runs the same cases, wherever it runs. */
export interface Comparable {
  readonly name: string;
  readonly threads: number;
  readonly backend: string;
  /** Its answer to a case, or undefined if it has no such thing; from then on `sample` runs this case. */
  prepare(c: BenchCase): Promise<readonly TypedArray[] | undefined>;
  /** Milliseconds of one run, sample by sample. */
  sample(options: { seconds: number; fewest: number }): Promise<number[]>;
}
