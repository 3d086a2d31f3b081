import type { Random } from '../core/random.ts';
import { checkShape, type Shape, sizeOf } from '../core/shape.ts';

/** Fills a new parameter. */
export type Initializer = (random: Random, data: Float32Array, shape: Shape) => void;

/** A trainable tensor of a model. Its values live in a training session or a frozen model, not here. */
export class Parameter {
  /** Sizes, outermost first. */
  readonly shape: Shape;
  /** Fills it when a training begins. */
  readonly initialize: Initializer;
  /** Name in the state dict where no module gives one. */
  readonly name: string | undefined;

  constructor(shape: Shape, initialize: Initializer, name?: string) {
    checkShape(shape, 'a parameter');
    this.shape = [...shape];
    this.initialize = initialize;
    this.name = name;
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }
}
