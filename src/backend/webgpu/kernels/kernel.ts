import { sizeOf } from '../../../core/shape.ts';
import type { Operands, TensorRef } from '../../../graph/plan.ts';
import type { Op } from '../../../ops/op.ts';
import type { Unsupported } from '../../backend.ts';
import type { ProductConfig } from '../products.ts';
import type { Dispatch, Shader } from '../record.ts';
import type { Scratch } from '../scratch.ts';

/** How a step becomes dispatches; `A`: the attributes of its op. */
export interface Kernel<A extends object = object> {
  encode(step: Operands<A>, context: EncodeContext): Dispatch[];
  /** Positions of the inputs that it can read through the binding `weights`, where all of them are constants. */
  readonly apart?: readonly number[];
}

/** What a family of rows needs: for each op how it becomes dispatches, or why it can't. */
export type Kernels<Rows> = {
  readonly [N in keyof Rows]: Kernel<Rows[N] extends Op<infer A> ? A : never> | Unsupported;
};

export interface EncodeContext {
  /** Memory besides the plan's arena. */
  readonly scratch: Scratch;
  /** How a product is to be divided. */
  readonly config?: ProductConfig;
}

/** A step that is one dispatch. */
export const one = <A extends object = object>(
  make: (step: Operands<A>) => Dispatch,
  apart?: Kernel['apart'],
): Kernel<A> => ({ encode: (step) => [make(step)], apart });

export const count = (t: TensorRef): number => sizeOf(t.shape);

/** TYPE in shaders. */
export const TYPES = { f32: 0, i32: 1, u8: 2, i8: 3 } as const;

/** Workgroups of 64 for one invocation an element. */
export const each = (n: number): number => Math.ceil(n / 64);

/** Words that hold n bytes. */
export const packed = (n: number): number => Math.ceil(n / 4);

/** Sizes or steps of the dimensions of a walk, as many as shaders have room for. */
export const eight = (values: readonly number[]): number[] =>
  Array.from({ length: 8 }, (_, i) => values[i] ?? 0);

/** A shader of one file. */
export const shader = (file: string, constants?: Shader['constants']): Shader => ({
  files: [file],
  constants,
});
