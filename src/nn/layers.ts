import { flag, oneOf, real } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import { expectValue, optionsOf } from '../core/options.ts';
import type { Shape } from '../core/shape.ts';
import * as f from '../functions/index.ts';
import { type Initializer, Parameter } from '../graph/parameter.ts';
import type { Tensor } from '../graph/trace.ts';
import * as init from './init.ts';
import { type Module, module, scopedChildren } from './module.ts';
import { isName, NAMES } from './names.ts';
import type { LayerSpec } from './spec.ts';

function positive(what: string, n: number): void {
  if (!Number.isInteger(n) || n < 1)
    fail('invalid_argument', `${what} is ${n}, expected a whole number from 1`);
}

/** Options of linear(). */
export interface LinearOptions {
  /** Add a learned bias; on by default. */
  readonly bias?: boolean;
}

const checkLinear = optionsOf<LinearOptions>('linear', { bias: flag });

/**
 * y = x W^T + b, (..., inFeatures) -> (..., outFeatures), initialised like torch.nn.Linear:
 * uniform in +-1/sqrt(inFeatures). The weight is (outFeatures, inFeatures), as in PyTorch's state dict.
 */
export function linear(inFeatures: number, outFeatures: number, options?: LinearOptions): Module {
  const { bias = true } = checkLinear(options);
  positive('linear: inFeatures', inFeatures);
  positive('linear: outFeatures', outFeatures);
  const uniform = init.uniform(1 / Math.sqrt(inFeatures));
  const weight = new Parameter([outFeatures, inFeatures], uniform);
  const spec: LayerSpec = { layer: 'linear', inFeatures, outFeatures, bias };
  if (!bias) return module({ weight }, (x, p) => product(x, p.weight), spec);
  return module(
    { weight, bias: new Parameter([outFeatures], uniform) },
    (x, p) => f.add(product(x, p.weight), p.bias),
    spec,
  );
}

/** x W^T for an input of any rank from 1. */
function product(x: Tensor, weight: Parameter): Tensor {
  if (x.shape.length === 1) return f.reshape(product(f.reshape(x, [1, -1]), weight), [weight.shape[0]]);
  return f.matmul(x, weight, { transposeB: true });
}

/** Wraps a function of tensors as a layer. */
const layer = (spec: LayerSpec, forward: (x: Tensor) => Tensor): Module => ({ children: {}, forward, spec });

/** max(x, 0), element by element. */
export const relu = () => layer({ layer: 'relu' }, f.relu);
/** x where it is positive, else slope * x. */
export function leakyRelu(slope = 0.01): Module {
  expectValue('leakyRelu', 'slope', slope, real());
  return layer({ layer: 'leakyRelu', slope }, (x) => f.leakyRelu(x, slope));
}
/** x where it is positive, else alpha (e^x - 1) (Clevert et al. 2015). */
export function elu(alpha = 1): Module {
  expectValue('elu', 'alpha', alpha, real());
  return layer({ layer: 'elu', alpha }, (x) => f.elu(x, alpha));
}
/** x times the normal distribution's cumulative function of x; 'tanh' approximates it (Hendrycks & Gimpel 2016). */
export function gelu(approximate: 'none' | 'tanh' = 'none'): Module {
  expectValue('gelu', 'approximate', approximate, oneOf('none', 'tanh'));
  return layer({ layer: 'gelu', approximate }, (x) => f.gelu(x, approximate));
}
/** x sigmoid(x), also called swish. */
export const silu = () => layer({ layer: 'silu' }, f.silu);
/** 1 / (1 + e^-x). */
export const sigmoid = () => layer({ layer: 'sigmoid' }, f.sigmoid);
/** Hyperbolic tangent. */
export const tanh = () => layer({ layer: 'tanh' }, f.tanh);
/** log(1 + e^x). */
export const softplus = () => layer({ layer: 'softplus' }, f.softplus);
/** x relu6(x + 3) / 6 (Howard et al. 2019). */
export const hardswish = () => layer({ layer: 'hardswish' }, f.hardswish);
/** e^x / sum of e^x along an axis, the last one if not given. */
export const softmax = (axis = -1) => layer({ layer: 'softmax', axis }, (x) => f.softmax(x, axis));
/** The logarithm of softmax. */
export const logSoftmax = (axis = -1) => layer({ layer: 'logSoftmax', axis }, (x) => f.logSoftmax(x, axis));

/** Zeroes elements with probability p while training; does nothing in inference. */
export function dropout(p = 0.5): Module {
  expectValue('dropout', 'p', p, real());
  if (!(p >= 0 && p < 1))
    fail('out_of_range', `dropout: p is ${p}, expected a number from 0 up to, not including, 1`);
  return layer({ layer: 'dropout', p }, (x) => f.dropout(x, p));
}

/** (batch, ...) -> (batch, everything else) */
export const flatten = () =>
  layer({ layer: 'flatten' }, (x) => f.reshape(x, [x.shape[0], x.shape.slice(1).reduce((a, b) => a * b, 1)]));

/**
 * Layers one after the other; parameters are named by position: '0.weight', '2.bias'. Given an object, by its keys, as in
 * PyTorch: `nn.sequential({ fc1: nn.linear(2, 8), act: nn.relu(), fc2: nn.linear(8, 1) })` has 'fc1.weight' and 'fc2.bias'.
 */
export function sequential(...layers: Module[] | [Readonly<Record<string, Module>>]): Module {
  const [first] = layers;
  const named = layers.length === 1 && !('forward' in first);
  const children = named ? { ...first } : Object.fromEntries((layers as Module[]).entries());
  const parts = Object.entries(children);
  if (named)
    for (const [name] of parts)
      if (!isName(name))
        fail('invalid_argument', `sequential: a layer is named '${name}', expected ${NAMES}`);
  const scoped = Object.values(scopedChildren(children));
  const specs = parts.flatMap(([, { spec }]) => spec ?? []);
  return {
    spec: specs.length === parts.length ? specOf(parts, named) : undefined,
    children,
    forward: (x) => scoped.reduce((y, part) => part.forward(y), x),
  };
}

const specOf = (parts: readonly [string, Module][], named: boolean): LayerSpec => ({
  layer: 'sequential',
  layers: parts.map(([name, { spec }]) => (named ? { ...spec, name } : spec)),
});

/** A parameter for models of one's own. */
export const parameter = (shape: Shape, initialize: Initializer, name?: string) =>
  new Parameter(shape, initialize, name);
