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

/** Records one op in the graph being differentiated and returns its first output. */
export type Emit = (op: string, inputs: readonly Sym[], attrs?: object) => Sym;

/** The same for ops with several outputs: all of them. */
export type EmitAll = (op: string, inputs: readonly Sym[], attrs?: object) => Sym[];

/** What every gradient rule is given. */
interface Differentiated<A> {
  readonly inputs: readonly Sym[];
  readonly attrs: A;
  readonly emit: Emit;
  readonly emitAll: EmitAll;
  /** Whether the gradient of input `i` is wanted; rules may skip work where it is not. */
  readonly wanted: (i: number) => boolean;
}

export interface GradientsContext<A> extends Differentiated<A> {
  readonly outputs: readonly Sym[];
  /** Gradient of the loss with respect to each output, of its shape; undefined where the loss does not depend on it. */
  readonly dys: readonly (Sym | undefined)[];
}

export interface GradientContext<A> extends Differentiated<A> {
  readonly output: Sym;
  /** Gradient of the loss with respect to the output, of its shape. */
  readonly dy: Sym;
}

/** Integer values that index something: input `input` must hold whole numbers in [0, below), or `except`. */
export interface IndexBound {
  readonly input: number;
  readonly below: number;
  readonly except?: number;
}

/** Real values that input `input` may have: a target outside makes no sense. */
export interface Domain {
  readonly input: number;
  readonly least: number;
  readonly most: number;
}

/** `batch` products of (m x k) and (k x n): all that decides how a product is divided, and how long it takes. */
export interface Product {
  readonly kind: 'f32' | 'i8';
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Which operands are transposed: n or t for the first, then for the second. */
  readonly form: `${'n' | 't'}${'n' | 't'}`;
  /** The rows of the first operand are summed as well. */
  readonly sums?: boolean;
}

/** What a row says besides what depends on how many outputs there are: passes, tuners and predictions ask here, not for names. */
interface Facts<A> {
  /** The product that takes most of its time. */
  product?(inputs: readonly TensorType[], attrs: A): Product;
  /**
   * Every element of the output is one of the first input's, chosen by its place or by which is larger: so the op does to
   * bytes what it does to the floats that they stand for.
   */
  readonly moves?: boolean;
  /**
   * Its part where a product and what stands behind it become one: the product takes in a bias that is added, and an
   * activation or, on the way back, the derivative of one.
   */
  readonly fuses?: 'product' | 'bias' | 'activation';
  /** The function of one number that it is, element by element: a quantized model runs it as a table. */
  scalar?(attrs: A): (x: number) => number;
  /** What it does with several numbers that a quantized model can do with bytes, where it neither multiplies nor moves: see quantize/forms.ts. */
  readonly integers?: 'sum' | 'difference' | 'average' | 'mean' | 'join';
  /** Of a product: the axis of its second operand that becomes the output's last; undefined where no single one does. */
  columns?(inputs: readonly TensorType[], attrs: A): number | undefined;
  /** The activation whose derivative it computes. */
  readonly derivativeOf?: string;
  /** Axis i of the output is axis permutation[i] of the input. */
  permutation?(attrs: A): readonly number[];
  /**
   * The attributes with which it does the same to inputs whose axes are permuted, so that the output's are permuted likewise. Inputs
   * are of the output's shape, or repeated to it.
   */
  permuted?(attrs: A, perm: readonly number[]): A;
  /** The output is the first input's memory under another shape. */
  readonly alias?: boolean;
  /** Whole numbers of the first input are the same ones in the output, as long as its type has them. */
  readonly keepsWhole?: boolean;
  /** Which inputs hold indices, and their bound, so that data can be checked before a run. */
  indices?(inputs: readonly TensorType[], attrs: A): IndexBound[];
  /** What values of inputs make sense, so that data can be checked before a run. */
  readonly domains?: readonly Domain[];
}

/** One row of the op table: everything about an op that is true on every backend. */
export interface Op<A extends object = object> extends Facts<A> {
  /** Types of the outputs; all argument checks are made here, before any work. */
  infer(inputs: readonly TensorType[], attrs: A): readonly TensorType[];
  /** Plain TypeScript, sums in f64. An output that lies in an input's memory holds that input's values at first. */
  reference(inputs: readonly Value[], outputs: readonly Value[], attrs: A): void;
  /** Arithmetic operations for given types; the bytes follow from the types. */
  flops(inputs: readonly TensorType[], outputs: readonly TensorType[], attrs: A): number;
  /** Gradient with respect to each input, undefined where there is none. Absent: the op can't be differentiated. */
  gradient?(context: GradientsContext<A>): (Sym | undefined)[];
  /** Output i lies in the memory of input inPlace[i], whose values it replaces (optimizer steps). */
  readonly inPlace?: readonly number[];
}

/** A row of an op with one output, as most have. */
interface OneOutput<A extends object> extends Facts<A> {
  infer(inputs: readonly TensorType[], attrs: A): TensorType;
  reference(inputs: readonly Value[], output: Value, attrs: A): void;
  flops(inputs: readonly TensorType[], output: TensorType, attrs: A): number;
  gradient?(context: GradientContext<A>): (Sym | undefined)[];
}

/** Keeps the attribute type while checking the row. */
export const severalOutputs = <A extends object = object>(row: Op<A>): Op<A> => row;

/** The same for an op with one output, whose row is written without lists. */
export function op<A extends object = object>(row: OneOutput<A>): Op<A> {
  const { infer, reference, flops, gradient, ...facts } = row;
  return {
    ...facts,
    infer: (inputs, attrs) => [infer(inputs, attrs)],
    reference: (inputs, [output], attrs) => reference(inputs, output, attrs),
    flops: (inputs, [output], attrs) => flops(inputs, output, attrs),
    ...(gradient && {
      gradient: ({ outputs: [output], dys: [dy], ...context }) => gradient({ ...context, output, dy: dy! }),
    }),
  };
}
