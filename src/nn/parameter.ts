import type { Shape } from '../core/shape.ts';
import { type Initializer, Parameter } from '../graph/parameter.ts';

/** A parameter for models of one's own. */
export const parameter = (shape: Shape, initialize: Initializer, name?: string): Parameter =>
  new Parameter(shape, initialize, name);
