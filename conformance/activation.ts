import type { activationRows as rows } from '../src/ops/activation.ts';
import { type Bound, close, EPS, exact, TINY, timesDy } from './kit/bound.ts';
import type { Conformance, Family } from './kit/case.ts';
import { elementwise } from './kit/uses.ts';

/** A function of x under each of these attributes, and its derivative times dy. */
const forward = <const A extends object>(bound: Bound, attrs: readonly A[]): Conformance<A> => ({
  bound,
  cases: attrs.flatMap((a) => elementwise(1, a)),
});
const backward = <const A extends object>(bound: Bound, attrs: readonly A[]): Conformance<A> => ({
  bound,
  cases: attrs.flatMap((a) => elementwise(2, a)),
});
/** A derivative that is `abs` off at most, besides some units in the last place. */
const derivative = (abs: number, ulps: number): Bound => ({ abs: timesDy(abs), rel: ulps * 2 * EPS });

const plain = [{}];
const slopes = [{ slope: 0.1 }, { slope: 0 }];
const alphas = [{ alpha: 1 }, { alpha: 0.3 }];
const forms = [{ approximate: 'none' }, { approximate: 'tanh' }] as const;

export const activation: Family<keyof typeof rows> = {
  relu: forward(exact, plain),
  relu_backward: backward(exact, plain),
  leaky_relu: forward(close(1), slopes),
  leaky_relu_backward: backward(close(1), slopes),
  elu: forward(close(4), alphas),
  elu_backward: backward(derivative(2 * TINY, 6), alphas),
  gelu: forward(close(20, 1.5e-6), forms),
  gelu_backward: backward(derivative(2e-6, 8), forms),
  silu: forward(close(8, 1e-7), plain),
  silu_backward: backward(derivative(1e-6, 8), plain),
  sigmoid: forward(close(8), plain),
  sigmoid_backward: backward(close(8), plain),
  tanh: forward(close(8, 1e-7), plain),
  tanh_backward: backward(derivative(1e-6, 4), plain),
  softplus: forward(close(8, 1e-7), plain),
  softplus_backward: backward(close(8, 1e-7), plain),
  softsign: forward(close(4), plain),
  softsign_backward: backward(close(8), plain),
  hardswish: forward(close(4, 1e-7), plain),
  hardswish_backward: backward(derivative(1e-6, 4), plain),
};
