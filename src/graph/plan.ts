import type { DType, TypedArray } from '../core/dtype.ts';
import type { Shape } from '../core/shape.ts';
import type { OpName } from '../ops/index.ts';
import type { Cost } from '../ops/op.ts';

/** The phases of a training step, in the order they run. An inference plan has only 'forward'. */
export const sections = ['forward', 'loss', 'backward', 'update'] as const;
export type Section = (typeof sections)[number];

/** A tensor's place: `offset` bytes into the plan's arena. */
export interface TensorRef {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly offset: number;
  /** The arena holds frozen values here (see Plan.constants): backends may repack them at compile time. */
  readonly constant?: boolean;
}

/**
 * - input: written by the caller before a run
 * - output: holds its value until the next run
 * - state: kept from run to run (parameters, optimizer moments); read and written by the caller
 */
export type Role = 'input' | 'output' | 'state';

/** A tensor that callers can reach by name. */
export interface Slot extends TensorRef {
  readonly name: string;
  readonly role: Role;
  /** Whole numbers in [0, below) are expected: labels, indices. */
  readonly below?: number;
}

/** One op at fixed places. In-place ops have no output. */
export interface Step {
  readonly op: OpName;
  readonly attrs: object;
  readonly inputs: readonly TensorRef[];
  readonly output: TensorRef | undefined;
  readonly section: Section;
  readonly cost: Cost;
}

/** Values written into the arena once, when a program is made. */
export interface Constant extends TensorRef {
  readonly data: TypedArray;
}

/**
 * A graph made executable: static shapes, buffers placed, steps in order. Pure data, the same for every backend.
 *
 *     arena  | states | constants | inputs, outputs, temporaries (placed by liveness) |
 *            0        (every tensor starts at a multiple of ALIGNMENT)            arenaBytes
 *
 * Each tensor owns its bytes up to the next multiple of 4; kernels may write that padding.
 */
export interface Plan {
  readonly name: string;
  readonly arenaBytes: number;
  readonly steps: readonly Step[];
  readonly slots: Readonly<Record<string, Slot>>;
  readonly constants: readonly Constant[];
  readonly memory: {
    /** Bytes of states and constants, which live as long as the program. */
    readonly persistentBytes: number;
    /** Bytes of everything else, placed by liveness. */
    readonly temporaryBytes: number;
    /** What the temporaries would take if no memory were reused. */
    readonly temporaryBytesWithoutReuse: number;
  };
}

/** Tensor starts are multiples of this many bytes: a cache line, and a multiple of a vec4. */
export const ALIGNMENT = 64;
