import { fail } from '../core/errors.ts';
import type { Shape } from '../core/shape.ts';
import * as f from '../graph/functions.ts';
import { type Initializer, Parameter } from '../graph/parameter.ts';
import type { Tensor } from '../graph/trace.ts';
import * as init from './init.ts';
import { type Module, module } from './module.ts';

function positive(what: string, n: number): void {
  if (!Number.isInteger(n) || n < 1)
    fail('invalid_argument', `${what} is ${n}, expected a whole number from 1`);
}

/** Options of linear(). */
export interface LinearOptions {
  /** Add a learned bias; on by default. */
  readonly bias?: boolean;
}

/**
 * y = x W^T + b, (..., inFeatures) -> (..., outFeatures), initialised like torch.nn.Linear:
 * uniform in +-1/sqrt(inFeatures). The weight is (outFeatures, inFeatures), as in PyTorch's state dict.
 */
export function linear(inFeatures: number, outFeatures: number, { bias = true }: LinearOptions = {}): Module {
  positive('linear: inFeatures', inFeatures);
  positive('linear: outFeatures', outFeatures);
  const uniform = init.uniform(1 / Math.sqrt(inFeatures));
  const weight = new Parameter([outFeatures, inFeatures], uniform);
  if (!bias) return module({ weight }, (x, p) => product(x, p.weight));
  return module({ weight, bias: new Parameter([outFeatures], uniform) }, (x, p) =>
    f.add(product(x, p.weight), p.bias),
  );
}

/** x W^T for an input of any rank from 1. */
function product(x: Tensor, weight: Parameter): Tensor {
  if (x.shape.length === 1) return f.reshape(product(f.reshape(x, [1, -1]), weight), [weight.shape[0]]);
  return f.matmul(x, weight, { transposeB: true });
}

/** Wraps a function of tensors as a layer. */
const layer = (forward: (x: Tensor) => Tensor): Module => ({ children: {}, forward });

/** A layer: max(x, 0). */
export const relu = () => layer(f.relu);
/** A layer: x where x > 0, else slope * x. */
export const leakyRelu = (slope = 0.01) => layer((x) => f.leakyRelu(x, slope));
/** A layer: x where x > 0, else alpha * (exp(x) - 1). */
export const elu = (alpha = 1) => layer((x) => f.elu(x, alpha));
/** A layer: GELU, by erf ('none') or by the tanh approximation. */
export const gelu = (approximate: 'none' | 'tanh' = 'none') => layer((x) => f.gelu(x, approximate));
/** A layer: x * sigmoid(x). */
export const silu = () => layer(f.silu);
/** A layer: 1 / (1 + exp(-x)). */
export const sigmoid = () => layer(f.sigmoid);
/** A layer: hyperbolic tangent. */
export const tanh = () => layer(f.tanh);
/** A layer: log(1 + exp(x)). */
export const softplus = () => layer(f.softplus);
/** A layer: x * clamp(x + 3, 0, 6) / 6. */
export const hardswish = () => layer(f.hardswish);
/** A layer: exp(x) over its sum along an axis. */
export const softmax = (axis = -1) => layer((x) => f.softmax(x, axis));
/** A layer: logarithm of softmax along an axis. */
export const logSoftmax = (axis = -1) => layer((x) => f.logSoftmax(x, axis));

/** Zeroes elements with probability p while training; does nothing in inference. */
export function dropout(p = 0.5): Module {
  if (!(p >= 0 && p < 1))
    fail('out_of_range', `dropout: p is ${p}, expected a number from 0 up to, not including, 1`);
  return layer((x) => f.dropout(x, p));
}

/** (batch, ...) -> (batch, everything else) */
export const flatten = () =>
  layer((x) => f.reshape(x, [x.shape[0], x.shape.slice(1).reduce((a, b) => a * b, 1)]));

/** Layers one after the other; parameters are named by position: '0.weight', '2.bias'. */
export function sequential(...layers: Module[]): Module {
  return {
    children: Object.fromEntries(layers.entries()),
    forward: (x) => layers.reduce((y, l) => l.forward(y), x),
  };
}

/** A parameter for models of one's own. */
export const parameter = (shape: Shape, initialize: Initializer, name?: string) =>
  new Parameter(shape, initialize, name);
