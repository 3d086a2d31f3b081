import { sizeOf } from '../../core/shape.ts';
import type { Step } from '../../graph/plan.ts';
import { type MatmulAttrs, matmulSizes } from '../../ops/matmul.ts';
import type { MatmulI8Attrs } from '../../ops/quantized.ts';
import { activationFiles } from './activation.ts';
import { packed } from './copy.ts';
import { type Dispatch, wordOf } from './record.ts';

/** Rows and columns of C that one workgroup makes; as in matmul.wgsl. */
const TILE = 32;

export function matmulDispatch({ inputs: [a, b, bias], output, attrs }: Step): Dispatch {
  const { transposeA, transposeB, activation } = attrs as MatmulAttrs;
  const { batch, m, n, k, batchStrideA, batchStrideB } = matmulSizes(a, b, attrs as MatmulAttrs);
  const [rowA, stepA] = transposeA ? [1, m] : [k, 1];
  const [stepB, columnB] = transposeB ? [1, k] : [n, 1];
  const [tilesM, tilesN] = [Math.ceil(m / TILE), Math.ceil(n / TILE)];
  const tiles = batch * tilesM * tilesN;
  const [files, p] = activationFiles(activation);
  return {
    shader: { files: ['matmul', ...files], constants: { BIAS: bias ? 1 : 0 } },
    args: [
      ...[
        wordOf(a),
        wordOf(b),
        bias ? wordOf(bias) : 0,
        wordOf(output!),
        m,
        n,
        k,
        batchStrideA,
        batchStrideB,
      ],
      ...[rowA, stepA, stepB, columnB, tilesM, tilesN, tiles, p],
    ],
    workgroups: tiles,
  };
}

export function matmulI8Dispatch({ inputs, output, attrs }: Step): Dispatch {
  const [x, weight, bias, multiplier, table] = inputs;
  const { shift, zeroPoint, min, max } = attrs as MatmulI8Attrs;
  const [n, k] = weight.shape;
  const count = sizeOf(output!.shape);
  return {
    shader: { files: ['matmul_i8'], constants: { TABLE: table ? 1 : 0, WORDS: k % 4 === 0 ? 1 : 0 } },
    args: [
      ...[x, weight, bias, multiplier].map(wordOf),
      ...[table ? wordOf(table) : 0, wordOf(output!), count, n, k, shift, zeroPoint, min, max],
    ],
    workgroups: Math.ceil(packed(count) / 64),
  };
}
