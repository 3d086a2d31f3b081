import { broadcastStrides, type Shape, sizeOf } from '../core/shape.ts';
import type { StridedCopy } from '../ops/layout.ts';

/** Dimensions with one row of strides for each operand. */
export interface Walk {
  readonly dims: number[];
  readonly strides: number[][];
}

/**
 * Drops dimensions of size 1 and merges neighbours that every operand steps through as one, so that
 * loops are few and long. At least one dimension stays.
 */
export function mergeDimensions({ dims, strides }: Walk): Walk {
  const merged: Walk = { dims: [], strides: strides.map(() => []) };
  dims.forEach((n, d) => {
    if (n === 1) return;
    const last = merged.dims.length - 1;
    const joins = last >= 0 && strides.every((s, i) => merged.strides[i][last] === s[d] * n);
    if (joins) {
      merged.dims[last] *= n;
      merged.strides.forEach((s, i) => {
        s[last] = strides[i][d];
      });
    } else {
      merged.dims.push(n);
      merged.strides.forEach((s, i) => {
        s.push(strides[i][d]);
      });
    }
  });
  if (merged.dims.length > 0) return merged;
  return { dims: [1], strides: strides.map(() => [0]) };
}

/** How an elementwise op walks its operands to make `output`. The last steps are 0 or 1. */
export function broadcastWalk(operands: readonly Shape[], output: Shape): Walk {
  return mergeDimensions({
    dims: [...output],
    strides: operands.map((shape) => broadcastStrides(shape, output)),
  });
}

export function copyWalk(c: StridedCopy): Walk {
  return mergeDimensions({ dims: [...c.shape], strides: [[...c.sourceStrides], [...c.targetStrides]] });
}

/** Number of runs of the last dimension. */
export const outerCount = ({ dims }: Walk): number => sizeOf(dims.slice(0, -1));
