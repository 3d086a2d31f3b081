import { f32, i32, type TensorSpec } from '../../conformance/kit/tensor.ts';
import type { AttrsOf, OpName } from '../../src/ops/index.ts';
import type { BenchCase } from '../run/case.ts';
import { opCase } from './op-case.ts';

/** What makes few numbers of many, over rows and columns, and what puts them in order. */
export function reduce(quick: boolean): BenchCase[] {
  const n = quick ? 128 : 1024;
  const x = f32([n, n]);
  const one = <N extends OpName>(op: N, what: string, inputs: TensorSpec[], attrs: AttrsOf<N>) =>
    opCase({ suite: 'reduce', name: `${op} ${what}`, op, inputs, attrs, bound: 'bytes' });
  const over = <A extends object>(op: OpName, attrs: A) =>
    [1, 0].map((axis) =>
      one(op, `${axis ? 'rows' : 'columns'} of ${n}x${n}`, [x], { ...attrs, axes: [axis], keepDims: false }),
    );
  return [
    ...over('sum', {}),
    ...over('max', {}),
    ...over('variance', { correction: 1 }),
    ...over('norm', { p: 2 }),
    ...over('logsumexp', {}),
    ...over('prod', {}),
    ...over('count_nonzero', {}),
    one('argmax', `${n}x${n}`, [x], {}),
    one('cumsum', `${n}x${n}`, [x], { axis: 1, exclusive: false, reverse: false }),
    one('sort', `${n}x${n}`, [x], { k: n, descending: false }),
    one('sort', `${n}x${n}, the first 5`, [x], { k: 5, descending: true }),
    one('max', `whole numbers ${n}x${n}`, [i32([n, n], (_, random) => random.int(1000))], {
      axes: [0],
      keepDims: false,
    }),
  ];
}
