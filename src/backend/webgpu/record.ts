import type { TensorRef } from '../../graph/plan.ts';

/** A word of a step's arguments: an integer, or a float. */
export type Word = number | { readonly f32: number };

/** A float argument. */
export const float = (value: number): Word => ({ f32: value });

/**
 * Which WGSL runs: files joined one behind the other, and the constants it is specialised by. `workgroup` is
 * workgroup_subgroups.wgsl where the device has subgroups, else workgroup_memory.wgsl.
 */
export interface Shader {
  readonly files: readonly string[];
  readonly constants?: Readonly<Record<string, number>>;
  /** See the arena as groups of four words; every tensor then begins and continues at multiples of four. */
  readonly quads?: boolean;
}

/** One dispatch: what runs, with which arguments (the kernel's Args without the last, `zero`), on how many workgroups. */
export interface Dispatch {
  readonly shader: Shader;
  readonly args: readonly Word[];
  readonly workgroups: number;
  /** What it reads through the binding `weights`; it is then specialised by APART. */
  readonly weights?: Weights;
}

/** Constants that are bound apart from the arena. */
export interface Weights {
  /** The constants (all `apart`), one behind the other, each at a multiple of 64 bytes. */
  readonly of: readonly TensorRef[];
  /** What makes from them, once, what is bound in their stead: it reads them through `weights`, and writes from word 0 on. */
  readonly made?: { readonly dispatch: Dispatch; readonly words: number };
}

/** A tensor's place in the arena, or in the buffer that it has for itself, in 32-bit words. */
export const wordOf = (t: TensorRef): number => (t.apart === undefined ? t.offset / 4 : 0);

/** What a kernel reads its weights from: a buffer of their own, or (undefined) the arena. */
export const readApart = (...of: readonly TensorRef[]): Weights | undefined =>
  of.every((t) => t.apart !== undefined) ? { of } : undefined;

/** Arguments lie this far apart, so that each can be bound by a dynamic offset. */
export const ARGS_STRIDE = 256;

/** Most workgroups along one dimension of a dispatch, by the WebGPU specification's least limits. */
const MOST_WORKGROUPS = 65535;

/**
 * Largest arena, in bytes. Kernels count words, and bytes of u8 and i8 tensors, in u32. A grid in two dimensions may reach
 * one row of 65,535 workgroups of 64 past the last element, four bytes each, which must not wrap around to 0 either.
 */
export const MOST_INDEXED = 2 ** 32 - 2 ** 25;

/** `count` workgroups as (x, y): more than fit one dimension are laid out in two, and the kernel checks its own. */
export function gridOf(count: number): [x: number, y: number] {
  const x = Math.min(count, MOST_WORKGROUPS);
  return [x, Math.ceil(count / x)];
}

/** All dispatches' arguments, each at a multiple of ARGS_STRIDE. `zero` is 0 in all of them: see prelude.wgsl. */
export function encodeArgs(dispatches: readonly Dispatch[]): ArrayBuffer {
  const bytes = new ArrayBuffer(Math.max(1, dispatches.length) * ARGS_STRIDE);
  dispatches.forEach(({ args }, i) => {
    const [u32, f32] = [
      new Uint32Array(bytes, i * ARGS_STRIDE, 64),
      new Float32Array(bytes, i * ARGS_STRIDE, 64),
    ];
    args.forEach((word, w) => {
      if (typeof word === 'number') u32[w] = word;
      else f32[w] = word.f32;
    });
  });
  return bytes;
}
