import type { DType, TypedArray } from '../core/dtype.ts';
import type { Random } from '../core/random.ts';
import { checkShape, type Shape, sizeOf } from '../core/shape.ts';

/** Fills a new variable. */
export type Initializer<A extends TypedArray = Float32Array> = (
  random: Random,
  data: A,
  shape: Shape,
) => void;

/** A tensor that belongs to a model. Its values live in a training session or a frozen model, not here. */
export abstract class Variable {
  /** Element type. */
  abstract readonly dtype: DType;
  /** Sizes, outermost first. */
  readonly shape: Shape;
  /** Fills it when a training begins. */
  abstract readonly initialize: Initializer<never>;
  /** Name in the state dict where no module gives one. */
  readonly name: string | undefined;

  constructor(shape: Shape, name: string | undefined, what: string) {
    checkShape(shape, what);
    this.shape = [...shape];
    this.name = name;
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }
}

/** A variable that training changes along its gradient. */
export class Parameter extends Variable {
  /** What tells it from a buffer. */
  readonly kind = 'parameter';
  readonly dtype = 'f32';
  readonly initialize: Initializer;

  constructor(shape: Shape, initialize: Initializer, name?: string) {
    super(shape, name, 'a parameter');
    this.initialize = initialize;
  }
}

/** A variable without a gradient: what a model assigns while it trains (`ops.assign`), such as running statistics. */
export class Buffer extends Variable {
  /** What tells it from a parameter. */
  readonly kind = 'buffer';
  readonly dtype: DType;
  readonly initialize: Initializer<never>;

  constructor(shape: Shape, dtype: DType, initialize: Initializer<never>, name?: string) {
    super(shape, name, 'a buffer');
    this.dtype = dtype;
    this.initialize = initialize;
  }
}
