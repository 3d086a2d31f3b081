import { inverseScale, quantized as rows } from '../../../ops/quantized.ts';
import { configs } from '../products.ts';
import { float, wordOf } from '../record.ts';
import { count, each, type Kernels, one, packed, shader } from './kernel.ts';
import { productDispatches } from './product-i8.ts';

export const quantized: Kernels<typeof rows> = {
  matmul_i8: {
    apart: [1, 2],
    encode: ({ inputs, outputs: [y], attrs }, { config = configs.direct, scratch }) => {
      const product = rows.matmul_i8.product!(inputs, attrs);
      const x = { files: ['matmul_i8'], words: product.k % 4 === 0 };
      return productDispatches(inputs, y, attrs, product, x, config, scratch);
    },
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
  add_i8: one(({ inputs: [a, b], outputs: [y], attrs }) => {
    const { zeroA, zeroB, factorA, factorB, shift, zeroPoint, min, max } = attrs;
    return {
      shader: shader('add_i8'),
      args: [
        ...[...[a, b, y].map(wordOf), count(y), zeroA, zeroB, factorA >>> 0, factorB >>> 0],
        ...[shift, zeroPoint, min, max],
      ],
      workgroups: each(packed(count(y))),
    };
  }),
  activation_i8: one(({ inputs: [x, table], outputs: [output] }) => ({
    shader: shader('activation_i8'),
    args: [...[x, table, output].map(wordOf), count(x)],
    workgroups: each(packed(count(x))),
  })),
};
