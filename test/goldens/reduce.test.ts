import * as f from '../../src/functions/index.ts';
import { judge } from './kit.ts';

/** JSON has no Infinity. */
type Norm = Omit<f.NormOfOptions, 'p'> & { readonly p: number | 'Infinity' };

judge(
  'reduce',
  {
    sum: ([x], options: f.ReduceOptions) => f.sum(x, options),
    mean: ([x], options: f.ReduceOptions) => f.mean(x, options),
    max: ([x], options: f.ReduceOptions) => f.max(x, options),
    min: ([x], options: f.ReduceOptions) => f.min(x, options),
    prod: ([x], options: f.ReduceOptions) => f.prod(x, options),
    logsumexp: ([x], options: f.ReduceOptions) => f.logsumexp(x, options),
    variance: ([x], options: f.VarianceOptions) => f.variance(x, options),
    std: ([x], options: f.VarianceOptions) => f.std(x, options),
    norm: ([x], { p, ...options }: Norm) => f.norm(x, { ...options, p: Number(p) }),
    any: ([x], options: f.ReduceOptions) => f.any(x, options),
    all: ([x], options: f.ReduceOptions) => f.all(x, options),
    countNonzero: ([x], options: f.ReduceOptions) => f.countNonzero(x, options),
    argmax: ([x], options: f.PositionOptions) => f.argmax(x, options),
    argmin: ([x], options: f.PositionOptions) => f.argmin(x, options),
    cumsum: ([x], options: f.CumsumOptions) => f.cumsum(x, options),
    sort: ([x], options: f.SortOptions) => Object.values(f.sort(x, options)),
    topk: ([x], { k, ...options }: f.TopkOptions & { k: number }) => Object.values(f.topk(x, k, options)),
    softmax: ([x]) => f.softmax(x),
    logSoftmax: ([x]) => f.logSoftmax(x),
  },
  // Gradients of products and powers pass through several roundings.
  { abs: 2e-6, rel: 2e-5 },
);
