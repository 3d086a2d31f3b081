import type { DType } from '../core/dtype.ts';
import { apply, type Operand } from './apply.ts';

/** factor * x */
export const scale = (x: Operand, factor: number) => apply('scale', [x], { factor });

/** The same values in memory of their own: what a buffer was, after it is assigned. */
export const copy = (x: Operand) => apply('copy', [x]);
/** The same values as another element type. */
export const cast = (x: Operand, dtype: DType) => apply('cast', [x], { dtype });
