import { fail } from '../core/errors.ts';
import { sameShape, showShape, sizeOf } from '../core/shape.ts';
import { expectNumber, showType } from './check.ts';
import type { Value } from './op.ts';
import { severalOutputs, type TensorType } from './op.ts';

/**
 * Optimizer steps, in place, over one flat tensor of all parameters.
 *
 * `hyper` is f32 [4], written before each run, because it changes from step to step:
 *     (learning rate, step size, 1 / sqrt(1 - beta2^t), unused)
 * with step size = rate / (1 - beta1^t) for Adam and = rate for SGD, whose third number is this step's dampening.
 * If `maxNorm` is set the last input is the gradients' global norm, and gradients are multiplied by
 * min(1, maxNorm / (norm + 1e-6)), as torch.nn.utils.clip_grad_norm_ does.
 */
export interface ClipAttrs {
  readonly maxNorm?: number;
}

export interface SgdAttrs extends ClipAttrs {
  /** 0: no momentum, and no buffer for it. */
  readonly momentum: number;
  readonly nesterov: boolean;
  /** Added to the gradient as weightDecay * parameter. */
  readonly weightDecay: number;
}

export interface AdamAttrs extends ClipAttrs {
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly weightDecay: number;
}

/** Parameter and moments have one shape, then hyper [4], then the norm [] if gradients are clipped. Gives the outputs' types. */
export function checkUpdate(
  name: string,
  inputs: readonly TensorType[],
  moments: number,
  attrs: ClipAttrs & { weightDecay: number },
) {
  const count = 2 + moments + 1 + (attrs.maxNorm === undefined ? 0 : 1);
  if (inputs.length !== count)
    fail('invalid_argument', `${name}: got ${inputs.length} tensors, expected ${count}`);
  inputs.forEach((t, i) => {
    const shape = i < 2 + moments ? inputs[0].shape : i === 2 + moments ? [4] : [];
    if (t.dtype !== 'f32' || !sameShape(t.shape, shape))
      fail('shape_mismatch', `${name}: input ${i} is ${showType(t)}, expected f32 ${showShape(shape)}`);
  });
  expectNumber(name, 'weightDecay', attrs.weightDecay, 0, 1e6);
  if (attrs.maxNorm !== undefined) expectNumber(name, 'maxNorm', attrs.maxNorm, 1e-30, 1e30);
  return [inputs[0], ...inputs.slice(2, 2 + moments)];
}

/** What gradients are multiplied by. */
export function clipFactor(inputs: readonly Value[], { maxNorm }: ClipAttrs): number {
  if (maxNorm === undefined) return 1;
  const factor = maxNorm / (inputs[inputs.length - 1].data[0] + 1e-6);
  return factor < 1 || Number.isNaN(factor) ? factor : 1;
}

/** What weight decay adds to a gradient; nothing where there is none, for an infinite parameter too. */
export const decayTerm =
  ({ weightDecay }: { weightDecay: number }) =>
  (p: number) =>
    weightDecay === 0 ? 0 : weightDecay * p;

function adamRow(name: 'adam' | 'adamw') {
  const decoupled = name === 'adamw';
  return severalOutputs<AdamAttrs>({
    inPlace: [0, 2, 3],
    infer(inputs, attrs) {
      expectNumber(name, 'beta1', attrs.beta1, 0, 1 - 2 ** -24);
      expectNumber(name, 'beta2', attrs.beta2, 0, 1 - 2 ** -24);
      expectNumber(name, 'eps', attrs.eps, 0, 1);
      return checkUpdate(name, inputs, 2, attrs);
    },
    reference(inputs, _, attrs) {
      const [p, g, m, v, hyper] = inputs.map((t) => t.data);
      const { beta1, beta2, eps, weightDecay } = attrs;
      const clip = clipFactor(inputs, attrs);
      const decayOf = decayTerm(attrs);
      for (let i = 0; i < p.length; i++) {
        const gradient = g[i] * clip + (decoupled ? 0 : decayOf(p[i]));
        m[i] = beta1 * m[i] + (1 - beta1) * gradient;
        // In this order, as PyTorch has it: the square alone overflows in f32 from 1.9e19 on, and v for good.
        v[i] = beta2 * v[i] + (1 - beta2) * gradient * gradient;
        const decayed = decoupled ? p[i] * (1 - hyper[0] * weightDecay) : p[i];
        p[i] = decayed - (hyper[1] * m[i]) / (Math.sqrt(v[i]) * hyper[2] + eps);
      }
    },
    flops: ([p]) => 14 * sizeOf(p.shape),
  });
}

export const optimizer = {
  /** sgd(p, g, [buffer,] hyper, [norm]): torch.optim.SGD. */
  sgd: severalOutputs<SgdAttrs>({
    inPlace: [0, 2],
    infer(inputs, attrs) {
      expectNumber('sgd', 'momentum', attrs.momentum, 0, 1);
      if (attrs.nesterov && attrs.momentum === 0)
        fail('invalid_argument', 'sgd: nesterov needs a momentum above 0');
      return checkUpdate('sgd', inputs, attrs.momentum > 0 ? 1 : 0, attrs);
    },
    reference(inputs, _, attrs) {
      const { momentum, nesterov } = attrs;
      const [p, g] = inputs.map((t) => t.data);
      const buffer = momentum > 0 ? inputs[2].data : undefined;
      const [, rate, dampening] = inputs[momentum > 0 ? 3 : 2].data;
      const clip = clipFactor(inputs, attrs);
      const decayOf = decayTerm(attrs);
      for (let i = 0; i < p.length; i++) {
        const gradient = g[i] * clip + decayOf(p[i]);
        let step = gradient;
        if (buffer) {
          buffer[i] = momentum * buffer[i] + (1 - dampening) * gradient;
          step = nesterov ? gradient + momentum * buffer[i] : buffer[i];
        }
        p[i] -= rate * step;
      }
    },
    flops: ([p]) => 6 * sizeOf(p.shape),
  }),
  /** adam(p, g, m, v, hyper, [norm]): Kingma & Ba 2015; weight decay is added to the gradient. */
  adam: adamRow('adam'),
  /** adamw(p, g, m, v, hyper, [norm]): Loshchilov & Hutter 2019; weight decay acts on the parameter alone. */
  adamw: adamRow('adamw'),
};
