import type { DType, NumberArray } from '../core/dtype.ts';
import type { Shape } from '../core/shape.ts';

/** What is known of a tensor before it has values. */
export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** A tensor with values, as reference implementations see it: dense, row-major. */
export interface Value extends TensorType {
  readonly data: NumberArray;
}

/** What a step costs: floating-point or integer operations, and bytes read and written once each. */
export interface Cost {
  readonly flops: number;
  readonly bytes: number;
}

/** What gradient rules build with: a symbolic tensor, opaque to the rules. */
export interface Sym extends TensorType {
  readonly id: number;
}

/** Records one op in the graph being differentiated and returns its output. */
export type Emit = (op: string, inputs: readonly Sym[], attrs?: object) => Sym;

export interface GradientContext<A> {
  readonly inputs: readonly Sym[];
  readonly output: Sym;
  /** Gradient of the loss with respect to the output, of the output's shape. */
  readonly dy: Sym;
  readonly attrs: A;
  readonly emit: Emit;
  /** Whether the gradient of input `i` is wanted; rules may skip work where it is not. */
  readonly wanted: (i: number) => boolean;
}

/** Integer values that index something: input `input` must hold whole numbers in [0, below). */
export interface IndexBound {
  readonly input: number;
  readonly below: number;
}

/** Real values that input `input` may have: a target outside makes no sense. */
export interface Domain {
  readonly input: number;
  readonly least: number;
  readonly most: number;
}

/** One row of the op table: everything about an op that is true on every backend. */
export interface Op<A extends object = object> {
  /** Output type; all argument checks are made here, before any work. In-place ops return undefined. */
  infer(inputs: readonly TensorType[], attrs: A): TensorType | undefined;
  /** Plain TypeScript, sums in f64. Writes `output`, or for in-place ops the inputs listed in `writes`. */
  reference(inputs: readonly Value[], output: Value, attrs: A): void;
  /** Arithmetic operations for given types; the bytes follow from the types. */
  flops(inputs: readonly TensorType[], output: TensorType | undefined, attrs: A): number;
  /** Gradient with respect to each input, undefined where there is none. Absent: the op can't be differentiated. */
  gradient?(context: GradientContext<A>): (Sym | undefined)[];
  /** Positions of inputs that are updated in place (optimizer steps). */
  readonly writes?: readonly number[];
  /** What it writes it does not read: those inputs are outputs. */
  readonly overwrites?: boolean;
  /** The output is the first input's memory under another shape. */
  readonly alias?: boolean;
  /** Which inputs hold indices, and their bound, so that data can be checked before a run. */
  indices?(inputs: readonly TensorType[], attrs: A): IndexBound[];
  /** What values of inputs make sense, so that data can be checked before a run. */
  readonly domains?: readonly Domain[];
}

/** Keeps the attribute type while checking the row. */
export const op = <A extends object = object>(row: Op<A>): Op<A> => row;
