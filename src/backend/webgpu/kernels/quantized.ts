import { sizeOf } from '../../../core/shape.ts';
import { alignUp } from '../../../graph/memory.ts';
import { ALIGNMENT, type Operands } from '../../../graph/plan.ts';
import { inverseScale, type MatmulI8Attrs, quantized as rows } from '../../../ops/quantized.ts';
import { configs, fitting, type ProductConfig } from '../products.ts';
import { type Dispatch, float, readApart, type Word, wordOf } from '../record.ts';
import type { Scratch } from '../scratch.ts';
import { count, each, type Kernels, one, packed, shader } from './kernel.ts';
import { division, tilesOf } from './tiles.ts';

export const quantized: Kernels<typeof rows> = {
  matmul_i8: {
    apart: [1, 2],
    encode: (step, { config, scratch }) => productDispatches(step, config ?? configs.direct, scratch),
  },
  quantize: one(({ inputs: [x], outputs: [output], attrs: { scale, zeroPoint } }) => ({
    shader: shader('quantize'),
    args: [
      ...[wordOf(x), wordOf(output), count(x), float(inverseScale(scale)), zeroPoint],
      ...(output.dtype === 'u8' ? [0, 255] : [-128, 127]),
    ],
    workgroups: each(packed(count(x))),
  })),
  dequantize: one(({ inputs: [x], outputs: [output], attrs: { scale, zeroPoint } }) => ({
    shader: shader('dequantize', { SIGNED: x.dtype === 'i8' ? 1 : 0 }),
    args: [wordOf(x), wordOf(output), count(x), zeroPoint, float(scale)],
    workgroups: each(count(x)),
  })),
  activation_i8: one(({ inputs: [x, table], outputs: [output] }) => ({
    shader: shader('activation_i8'),
    args: [...[x, table, output].map(wordOf), count(x)],
    workgroups: each(packed(count(x))),
  })),
};

function productDispatches(step: Operands<MatmulI8Attrs>, wish: ProductConfig, scratch: Scratch): Dispatch[] {
  const [x, weight, bias, multiplier, table] = step.inputs;
  const { shift, zeroPoint, min, max } = step.attrs;
  const [n, k] = weight.shape;
  const count = sizeOf(step.outputs[0].shape);
  if (count === 0) return [];
  const m = count / n;
  const words = packed(k);
  const padded = 4 * packed(n);
  const raw = readApart(weight, bias);
  const size = (words + 1) * padded;
  const at = raw ? 0 : scratch.lend(size);
  const pack: Dispatch = {
    shader: { files: ['matmul_i8_pack'] },
    args: [wordOf(weight), raw ? alignUp(n * k, ALIGNMENT) / 4 : wordOf(bias), at, n, k, words, padded],
    workgroups: Math.ceil(size / 64),
  };
  const config = fitting(wish, rows.matmul_i8.product!(step.inputs, step.attrs));
  const { tilesM, tilesN, chunk, even } = tilesOf(config, m, n, words);
  // Rows that are no whole number of words are made side by side first; a single one ends in its tensor's last word.
  const loose = n % 4 !== 0 && m > 1;
  const y = loose ? scratch.lend((m * padded) / 4) : wordOf(step.outputs[0]);
  const places: Word[] = [
    wordOf(x),
    at,
    at + words * padded,
    wordOf(multiplier),
    table ? wordOf(table) : 0,
    y,
  ];
  const product: Dispatch = {
    shader: {
      files: [
        'matmul_i8',
        `dot_${config.packedDot ? 'packed' : 'unpacked'}`,
        ...['product', `product_${config.kernel}`],
      ],
      constants: {
        TABLE: table ? 1 : 0,
        WORDS: k % 4 === 0 ? 1 : 0,
        EDGES: even && k % 4 === 0 ? 0 : 1,
        ...division(config),
      },
    },
    args: [
      ...[...places, m, n, k, tilesM, tilesN, tilesM * tilesN, 1, chunk],
      ...[shift, zeroPoint, min, max],
    ],
    workgroups: tilesM * tilesN,
    weights: raw && { ...raw, made: { dispatch: pack, words: size } },
  };
  const dense: Dispatch = {
    shader: { files: ['matmul_i8_rows'] },
    args: [y, wordOf(step.outputs[0]), n, padded, count],
    workgroups: Math.ceil(packed(count) / 64),
  };
  return [...(raw ? [] : [pack]), product, ...(loose ? [dense] : [])];
}
