import { convI8Sizes, convI8 as rows, termsOf } from '../../../ops/conv-i8.ts';
import { isDepthwise } from '../../../ops/conv-sizes.ts';
import { configs } from '../products.ts';
import { readApart, wordOf } from '../record.ts';
import { geometry, windowsOf } from './conv.ts';
import { count, each, type Kernels, packed } from './kernel.ts';
import { biasBehind, productDispatches } from './product-i8.ts';

export const convI8: Kernels<typeof rows> = {
  conv_i8: {
    apart: [1, 2],
    encode({ inputs, outputs: [y], attrs }, { config = configs.direct, scratch }) {
      const [x, weight, bias, multiplier, table] = inputs;
      const sizes = convI8Sizes(x, weight, attrs);
      const taken = sizes.channels / sizes.groups;
      const taps = geometry(windowsOf(sizes));
      if (!isDepthwise(sizes)) {
        const product = rows.conv_i8.product!(inputs, attrs);
        const behind = [taken, attrs.inputZero];
        const images = { files: ['taps', 'conv_i8'], before: taps, behind, words: taken % 4 === 0 };
        return productDispatches(inputs, y, attrs, product, images, config, scratch);
      }
      const apart = readApart(weight, bias);
      const k = termsOf(weight);
      const { shift, zeroPoint, min, max, inputZero } = attrs;
      return [
        {
          shader: { files: ['taps', 'depthwise_i8', 'requantize'], constants: { TABLE: table ? 1 : 0 } },
          args: [
            ...[...taps, wordOf(x), wordOf(weight), apart ? biasBehind(sizes.filters * k) : wordOf(bias)],
            ...[wordOf(multiplier), table ? wordOf(table) : 0, wordOf(y), count(y), k],
            ...[shift, zeroPoint, min, max, inputZero],
          ],
          workgroups: each(packed(count(y))),
          weights: apart,
        },
      ];
    },
  },
};
