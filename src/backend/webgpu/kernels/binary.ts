import { kinds } from '../../../generated/records.ts';
import { type BinaryName, binaryNames, type binary as rows } from '../../../ops/binary.ts';
import { broadcastWalk } from '../../strides.ts';
import { wordOf } from '../record.ts';
import { count, each, eight, type Kernel, type Kernels, one } from './kernel.ts';

const math = new Set<BinaryName>(['pow', 'fmod', 'atan2']);

const kernel = (name: BinaryName): Kernel =>
  one(({ inputs: [a, b], outputs: [y] }) => {
    const { dims, strides } = broadcastWalk([a.shape, b.shape], y.shape);
    const kind = (y.dtype === 'i32' ? `${name}_i32` : name) as keyof typeof kinds.binary;
    return {
      shader: {
        files: math.has(name) ? ['binary', 'math', 'binary_math'] : ['binary', 'binary_words'],
        constants: { KIND: kinds.binary[kind] },
      },
      args: [
        ...[wordOf(a), wordOf(b), wordOf(y), count(y)],
        ...[...eight(dims), ...eight(strides[0]), ...eight(strides[1]), dims.length],
      ],
      workgroups: each(count(y)),
    };
  });

export const binary = Object.fromEntries(binaryNames.map((name) => [name, kernel(name)])) as Kernels<
  typeof rows
>;
