import type { DType, TypedArray } from '../core/dtype.ts';
import type { Shape } from '../core/shape.ts';
import type { AttrsOf, OpName } from '../ops/index.ts';
import type { Cost } from '../ops/op.ts';

/** The phases of a training step, in the order they run. An inference plan has only 'forward'. */
export const sections = ['forward', 'loss', 'backward', 'update'] as const;
/** A phase of a training step; an inference plan has only 'forward'. */
export type Section = (typeof sections)[number];

/** A tensor's place: `offset` bytes into the plan's arena. */
export interface TensorRef {
  /** Element type. */
  readonly dtype: DType;
  /** Sizes, outermost first. */
  readonly shape: Shape;
  /** Bytes from the arena's start, a multiple of 64. */
  readonly offset: number;
  /** The arena holds frozen values here (see Plan.constants): backends may repack them at compile time. */
  readonly constant?: boolean;
  /**
   * Of a constant that a backend keeps outside of the arena: which of the program's constants it is. `offset` counts from its start.
   */
  readonly apart?: number;
}

/**
 * - input: written by the caller before a run
 * - output: holds its value until the next run
 * - state: kept from run to run (parameters, buffers, optimizer moments); read and written by the caller
 * - scratch: made anew by each run (gradients); read by the caller
 */
export type Role = 'input' | 'output' | 'state' | 'scratch';

/** A tensor that callers can reach by name. */
export interface Slot extends TensorRef {
  /** The name it is found by in `Plan.slots`. */
  readonly name: string;
  /** Who writes and reads it. */
  readonly role: Role;
  /** Whole numbers in [0, below) are expected: labels, indices. */
  readonly below?: number;
  /** A whole number besides these that is expected too: the label of what is left out of a loss. */
  readonly except?: number;
  /** Numbers from the first to the second are expected: targets of a loss. */
  readonly within?: readonly [least: number, most: number];
}

/** One op at fixed places, with the attributes of that op. */
export type Step<N extends OpName = OpName> = {
  readonly [M in N]: {
    /** The op's name in the table. */
    readonly op: M;
    /** The op's attributes. */
    readonly attrs: AttrsOf<M>;
    /** What it reads. */
    readonly inputs: readonly TensorRef[];
    /** What it writes; some may lie where inputs do. */
    readonly outputs: readonly TensorRef[];
    /** The phase it belongs to. */
    readonly section: Section;
    /** The layer it belongs to, by its name in the state dict: 'encoder.2'; '' for what no layer does. */
    readonly path: string;
    /** Its arithmetic and bytes. */
    readonly cost: Cost;
  };
}[N];

/** What a kernel looks at of a step; `A`: the attributes of its op. */
export interface Operands<A extends object = object> {
  /** What the step reads. */
  readonly inputs: readonly TensorRef[];
  /** What it writes. */
  readonly outputs: readonly TensorRef[];
  /** Its op's attributes. */
  readonly attrs: A;
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
  /** For people: messages and reports. */
  readonly name: string;
  /** Memory that the plan runs in. */
  readonly arenaBytes: number;
  /** In the order they run. */
  readonly steps: readonly Step[];
  /** Tensors that callers reach, by name. */
  readonly slots: Readonly<Record<string, Slot>>;
  /** Values written into the arena once. */
  readonly constants: readonly Constant[];
  /** What the arena's bytes are for. */
  readonly memory: {
    /** Bytes of states and constants, which live as long as the program. */
    readonly persistentBytes: number;
    /** Bytes of everything else, placed by liveness. */
    readonly temporaryBytes: number;
    /** What the temporaries would take if no memory were reused. */
    readonly temporaryBytesWithoutReuse: number;
  };
}

/** Arithmetic and bytes moved by one run of these steps. */
export const costOfSteps = (steps: readonly Step[]): Cost => ({
  flops: steps.reduce((sum, { cost }) => sum + cost.flops, 0),
  bytes: steps.reduce((sum, { cost }) => sum + cost.bytes, 0),
});

/** Arithmetic and bytes of one layer of a model. */
export interface LayerCost extends Cost {
  /** Its name in the state dict, 'encoder.2'; '' for what no layer does, such as the loss. */
  readonly path: string;
}

/** What one run of these steps costs layer by layer, in the order in which layers first run. */
export function costByLayer(steps: readonly Step[]): LayerCost[] {
  const layers = new Map<string, Step[]>();
  for (const step of steps) layers.set(step.path, [...(layers.get(step.path) ?? []), step]);
  return [...layers].map(([path, own]) => ({ path, ...costOfSteps(own) }));
}

/** An op as messages name it: with its layer, where it belongs to one. */
export const opAt = ({ op, path }: { readonly op: string; readonly path: string }): string =>
  path ? `layer '${path}' (${op})` : op;

/** Tensor starts are multiples of this many bytes: a cache line, and a multiple of a vec4. */
export const ALIGNMENT = 64;
