import type { Value } from '../src/ops/op.ts';
import { forEachRun, reduceSizes } from '../src/ops/reduce.ts';
import type { ScanAttrs, scan as rows } from '../src/ops/scan.ts';
import { type Abs, EPS, oncePer, roundings, TINY } from './kit/bound.ts';
import { type Family, noGradient, use } from './kit/case.ts';

/** As of a sum of all that is summed, without signs. */
const sums = oncePer(([x]: readonly Value[], { axis }: ScanAttrs) => {
  const sizes = reduceSizes(x.shape, [axis]);
  const bounds = new Float64Array(x.data.length);
  forEachRun(sizes, (_, start, step) => {
    let sum = 0;
    for (let c = 0; c < sizes.count; c++) sum += Math.abs(x.data[start + c * step]);
    for (let c = 0; c < sizes.count; c++) bounds[start + c * step] = sum * roundings(sizes.count) + TINY;
  });
  return bounds;
});
const summed: Abs = (inputs, attrs, i) => sums(inputs, attrs as ScanAttrs)[i];

const ways = [
  { exclusive: false, reverse: false },
  { exclusive: true, reverse: false },
  { exclusive: false, reverse: true },
  { exclusive: true, reverse: true },
];

export const scan: Family<keyof typeof rows> = {
  cumsum: {
    bound: { abs: summed, rel: 2 * EPS },
    cases: [
      ...ways.flatMap((way) => [
        use('f32 3x7', { axis: 1, ...way }),
        use('f32 5x4x3', { axis: 1, ...way }),
        use('f32 2x300', { axis: 1, ...way }),
      ]),
      use('f32 1', { axis: 0, ...ways[0] }),
      use('f32 4x0', { axis: 1, ...ways[0] }),
      ...noGradient(
        use('f32 100003 =0.1', { axis: 0, ...ways[0] }),
        use('f32 30011x3 =0.1', { axis: 0, ...ways[2] }),
        use('f32 2x6 =1,2,NaN,3,Infinity,1,-Infinity', { axis: 1, ...ways[0] }),
      ),
    ],
  },
};
