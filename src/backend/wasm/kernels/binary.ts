import * as records from '../../../generated/records.ts';
import { type BinaryName, binaryNames, type binary as rows } from '../../../ops/binary.ts';
import { broadcastWalk, outerCount } from '../../strides.ts';
import { type Kernel, type Kernels, one } from './kernel.ts';

/** Those that are computed one by one. */
const scalar = new Set<BinaryName>(['pow', 'fmod', 'atan2']);

const kernel = (name: BinaryName): Kernel =>
  one(({ inputs: [a, b], outputs: [y] }, at) => {
    const walk = broadcastWalk([a.shape, b.shape], y.shape);
    const kind = (y.dtype === 'i32' ? `${name}_i32` : name) as records.Binary;
    return (scalar.has(name) ? records.binaryMath : records.binary)({
      ...{ kind, ...at({ a, b, y }) },
      ...{ outer: outerCount(walk), dims: walk.dims, stridesA: walk.strides[0], stridesB: walk.strides[1] },
    });
  });

export const binary = Object.fromEntries(binaryNames.map((name) => [name, kernel(name)])) as Kernels<
  typeof rows
>;
