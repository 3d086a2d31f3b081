import { oneOf, text } from '../core/checks.ts';
import type { ArrayOf, DType } from '../core/dtype.ts';
import { optionsOf } from '../core/options.ts';
import type { Shape } from '../core/shape.ts';
import { Buffer, type Initializer, Parameter } from '../graph/variable.ts';

/** A parameter for models of one's own. */
export const parameter = (shape: Shape, initialize: Initializer, name?: string) =>
  new Parameter(shape, initialize, name);

/** Options of buffer(). */
export interface BufferOptions<D extends DType = DType> {
  /** Element type; f32 if not given. */
  readonly dtype?: D;
  /** Name in the state dict where no module gives one. */
  readonly name?: string;
}

const checkBuffer = optionsOf<BufferOptions>('buffer', {
  dtype: oneOf('f32', 'i32', 'u8', 'i8'),
  name: text,
});

/** A buffer for models of one's own: it has no gradient, and holds what `ops.assign` puts there from step to step. */
export function buffer<D extends DType = 'f32'>(
  shape: Shape,
  initialize: Initializer<ArrayOf<D>>,
  options?: BufferOptions<D>,
): Buffer {
  const { dtype = 'f32', name } = checkBuffer(options as BufferOptions | undefined);
  return new Buffer(shape, dtype, initialize, name);
}
