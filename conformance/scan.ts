import type { Value } from '../src/ops/op.ts';
import { forEachRun, reduceSizes } from '../src/ops/reduce.ts';
import type { scan as rows, ScanAttrs } from '../src/ops/scan.ts';
import { type Abs, EPS, oncePer, roundings, TINY } from './kit/bound.ts';
import { type Case, type Family, noGradient, type Operand, use } from './kit/case.ts';

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

const along = (operand: Operand, axis: number, way: Omit<ScanAttrs, 'axis'>): Case<ScanAttrs> =>
  use(operand, { axis, ...way });

export const scan: Family<keyof typeof rows> = {
  cumsum: {
    bound: { abs: summed, rel: 2 * EPS },
    cases: [
      ...ways.flatMap((way) => [
        along('f32 3x7', 1, way),
        along('f32 5x4x3', 1, way),
        along('f32 2x300', 1, way),
      ]),
      along('f32 1', 0, ways[0]),
      along('f32 4x0', 1, ways[0]),
      along('i32 3x300 =16777217,5,-7', 1, ways[0]),
      along('i32 2x5x4 =2147483647,3', 1, ways[3]),
      ...noGradient(
        along('f32 100003 =0.1', 0, ways[0]),
        along('f32 30011x3 =0.1', 0, ways[2]),
        along('f32 2x6 =1,2,NaN,3,Infinity,1,-Infinity', 1, ways[0]),
      ),
    ],
  },
};
