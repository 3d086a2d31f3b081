import { check, flag, positive, real } from '../../core/checks.ts';
import { fail } from '../../core/errors.ts';
import { type Checks, optionsOf } from '../../core/options.ts';
import { showShape } from '../../core/shape.ts';
import { add, mean, mul, scale, softplus, sub, sum } from '../../functions/index.ts';
import type { Tensor } from '../../graph/trace.ts';
import { apply, elements, type Loss, type LossOptions, lossChecks, reduced, targetOf } from './loss.ts';

const checkMse = optionsOf<LossOptions>('mseLoss', lossChecks);
const checkL1 = optionsOf<LossOptions>('l1Loss', lossChecks);
const checkSoftMargin = optionsOf<LossOptions>('softMarginLoss', lossChecks);

/** (output - target)^2; torch.nn.MSELoss. */
export const mseLoss = (options?: LossOptions): Loss => elements('mseLoss', 'mse', {}, checkMse(options));
/** |output - target|; torch.nn.L1Loss. */
export const l1Loss = (options?: LossOptions): Loss => elements('l1Loss', 'l1', {}, checkL1(options));
/** log(1 + exp(-target * output)) of targets 1 and -1; torch.nn.SoftMarginLoss. */
export const softMarginLoss = (options?: LossOptions): Loss =>
  elements('softMarginLoss', 'soft_margin', {}, checkSoftMargin(options));

/** Options of huberLoss(). */
export interface HuberOptions extends LossOptions {
  /** Where the loss turns from square to straight; 1 if not given. */
  readonly delta?: number;
}
const checkHuber = optionsOf<HuberOptions>('huberLoss', { ...lossChecks, delta: positive });

/** Square within delta of the target, straight outside; torch.nn.HuberLoss. */
export function huberLoss(given?: HuberOptions): Loss {
  const { delta = 1, ...options } = checkHuber(given);
  return elements('huberLoss', 'huber', { delta }, options);
}

/** Options of smoothL1Loss(). */
export interface SmoothL1Options extends LossOptions {
  /** Where the loss turns from square to straight; 0 makes it l1Loss. 1 if not given. */
  readonly beta?: number;
}
const checkSmoothL1 = optionsOf<SmoothL1Options>('smoothL1Loss', { ...lossChecks, beta: real(0) });

/** huberLoss() divided by beta, which keeps its straight part's slope at 1; torch.nn.SmoothL1Loss. */
export function smoothL1Loss(given?: SmoothL1Options): Loss {
  const { beta = 1, ...options } = checkSmoothL1(given);
  return beta === 0
    ? elements('smoothL1Loss', 'l1', {}, options)
    : elements('smoothL1Loss', 'huber', { delta: beta }, options, { factor: 1 / beta });
}

/** Options of klDivLoss(). */
export interface KlDivOptions extends Omit<LossOptions, 'reduction'> {
  /** 'batchmean' divides the sum by the batch, which is the divergence; 'mean', as if not given, by all elements. */
  readonly reduction?: LossOptions['reduction'] | 'batchmean';
  /** The target is the logarithm of chances, as the output is. */
  readonly logTarget?: boolean;
}
const reductions = ['mean', 'sum', 'none', 'batchmean'];
const checkKlDiv = optionsOf<KlDivOptions>('klDivLoss', {
  reduction: check("'mean', 'sum', 'none' or 'batchmean'", (x) => reductions.includes(x as string)),
  logTarget: flag,
});

/** Kullback-Leibler divergence of target chances from output, the logarithm of chances; torch.nn.KLDivLoss. A chance of 0 costs nothing. */
export function klDivLoss(given?: KlDivOptions): Loss {
  const { reduction = 'mean', logTarget = false } = checkKlDiv(given);
  const op = logTarget ? 'kl_div_log' : 'kl_div';
  if (reduction !== 'batchmean') return elements('klDivLoss', op, {}, { reduction });
  return (output, target) => {
    const [batch] = output.shape;
    if (batch === undefined)
      fail('shape_mismatch', "klDivLoss: one number has no batch; give it one, or take reduction 'sum'");
    // Of each sample its sum; samples may be weighted.
    const { target: t, weight } = targetOf('klDivLoss', target);
    const losses = apply(op, [output, t]);
    const axes = losses.shape.map((_, i) => i).slice(1);
    return reduced('klDivLoss', axes.length ? sum(losses, { axes }) : losses, {}, { weight });
  };
}

/** Options of poissonNllLoss(). */
export interface PoissonNllOptions extends LossOptions {
  /** The output is the logarithm of the rate; true if not given. */
  readonly logInput?: boolean;
  /** What is added to a rate before its logarithm is taken; 1e-8 if not given. */
  readonly eps?: number;
}
const checkPoisson = optionsOf<PoissonNllOptions>('poissonNllLoss', {
  ...lossChecks,
  logInput: flag,
  eps: positive,
});

/** Of counts, exp(output) - target * output; torch.nn.PoissonNLLLoss without its `full`, which is a constant of the target. */
export function poissonNllLoss(given?: PoissonNllOptions): Loss {
  const { logInput = true, eps = 1e-8, ...options } = checkPoisson(given);
  return logInput
    ? elements('poissonNllLoss', 'poisson_nll', {}, options)
    : elements('poissonNllLoss', 'poisson_nll_rate', { eps }, options);
}

/** Options of hingeEmbeddingLoss(). */
export interface HingeEmbeddingOptions extends LossOptions {
  /** How far apart what is unlike should be; 1 if not given. */
  readonly margin?: number;
}
const checkHinge = optionsOf<HingeEmbeddingOptions>('hingeEmbeddingLoss', { ...lossChecks, margin: real() });

/** Of a distance: itself for target 1, max(0, margin - output) for -1; torch.nn.HingeEmbeddingLoss. */
export function hingeEmbeddingLoss(given?: HingeEmbeddingOptions): Loss {
  const { margin = 1, ...options } = checkHinge(given);
  return elements('hingeEmbeddingLoss', 'hinge_embedding', { margin }, options);
}

/** Numbers that multiply the last axis: one for each class, or one for all. */
export type PerClass = number | readonly number[] | Float32Array;

const isPerClass = check('a number from 0, or one for each class', (x) => {
  const list = Array.isArray(x) || x instanceof Float32Array ? x : [x];
  return list.length > 0 && Array.prototype.every.call(list, (w) => real(0)(w));
});

function perClass(of: string, name: string, output: Tensor, given: PerClass): Tensor {
  const values = typeof given === 'number' ? Float32Array.of(given) : Float32Array.from(given);
  if (values.length !== 1 && values.length !== output.shape.at(-1))
    fail(
      'shape_mismatch',
      `${of}: ${name} has ${values.length} numbers, expected 1 or as many as ${showShape(output.shape)} ends with`,
    );
  const shape = values.length === 1 ? [] : [values.length];
  return output.tracer.constant(values, { dtype: 'f32', shape });
}

/** Options of bceLoss(). */
export interface BceOptions extends LossOptions {
  /** What multiplies each element, by its place in the last axis. A mean is over all elements, whatever they weigh (as in PyTorch). */
  readonly weight?: PerClass;
}
const bceChecks: Checks<BceOptions> = { ...lossChecks, weight: isPerClass };
const checkBce = optionsOf<BceOptions>('bceLoss', bceChecks);

/** Binary cross-entropy of chances, as sigmoid gives them, against targets from 0 to 1; torch.nn.BCELoss. */
export function bceLoss(given?: BceOptions): Loss {
  const { weight, ...options } = checkBce(given);
  return elements('bceLoss', 'bce', {}, options, {
    rescale: (x) => (weight === undefined ? x : mul(x, perClass('bceLoss', 'weight', x, weight))),
  });
}

/** Options of bceWithLogitsLoss(). */
export interface BceWithLogitsOptions extends BceOptions {
  /** How much more a target of 1 counts than one of 0, by its place in the last axis. */
  readonly posWeight?: PerClass;
}
const checkBceWithLogits = optionsOf<BceWithLogitsOptions>('bceWithLogitsLoss', {
  ...bceChecks,
  posWeight: isPerClass,
});

/** Binary cross-entropy of sigmoid(output) against targets from 0 to 1; torch.nn.BCEWithLogitsLoss. */
export function bceWithLogitsLoss(given?: BceWithLogitsOptions): Loss {
  const { weight, posWeight, ...options } = checkBceWithLogits(given);
  const of = 'bceWithLogitsLoss';
  return (output, record) => {
    const { target, weight: samples } = targetOf(of, record);
    const losses =
      posWeight === undefined
        ? apply('bce_with_logits', [output, target])
        : add(
            mul(mul(target, perClass(of, 'posWeight', output, posWeight)), softplus(scale(output, -1))),
            mul(sub(1, target), softplus(output)),
          );
    const weighed = weight === undefined ? losses : mul(losses, perClass(of, 'weight', output, weight));
    return reduced(of, weighed, options, { weight: samples });
  };
}

/** Options of multiLabelSoftMarginLoss(). */
export interface MultiLabelOptions extends LossOptions {
  /** What multiplies each class. */
  readonly weight?: PerClass;
}
const checkMultiLabel = optionsOf<MultiLabelOptions>('multiLabelSoftMarginLoss', {
  ...lossChecks,
  weight: isPerClass,
});

/** Binary cross-entropy of logits (..., classes), averaged over the classes; torch.nn.MultiLabelSoftMarginLoss. */
export function multiLabelSoftMarginLoss(given?: MultiLabelOptions): Loss {
  const { weight, ...options } = checkMultiLabel(given);
  const of = 'multiLabelSoftMarginLoss';
  return (output, record) => {
    const { target, weight: samples } = targetOf(of, record);
    const each = apply('bce_with_logits', [output, target]);
    const weighed = weight === undefined ? each : mul(each, perClass(of, 'weight', output, weight));
    return reduced(of, mean(weighed, { axes: -1 }), options, { weight: samples });
  };
}

/** Options of sigmoidFocalLoss(). */
export interface SigmoidFocalOptions extends LossOptions {
  /** How much a target of 1 counts beside one of 0, from 0 to 1; -1: both alike. 0.25 if not given. */
  readonly alpha?: number;
  /** How much less what is nearly right counts; 2 if not given, with 0 it is the binary cross-entropy. */
  readonly gamma?: number;
}
const checkFocal = optionsOf<SigmoidFocalOptions>('sigmoidFocalLoss', {
  ...lossChecks,
  alpha: check('a number from 0 to 1, or -1', (x) => x === -1 || real(0, 1)(x)),
  gamma: real(0),
});

/**
 * Focal loss of logits (Lin et al. 2017) as torchvision.ops.sigmoid_focal_loss; a mean is the default here, as everywhere, where
 * torchvision reduces nothing.
 */
export function sigmoidFocalLoss(given?: SigmoidFocalOptions): Loss {
  const { alpha = 0.25, gamma = 2, ...options } = checkFocal(given);
  return (output, record) => {
    const { target, weight } = targetOf('sigmoidFocalLoss', record);
    const losses =
      gamma === 0
        ? apply('bce_with_logits', [output, target])
        : apply('sigmoid_focal', [output, target], { gamma });
    const balanced = alpha < 0 ? losses : mul(losses, add(scale(target, 2 * alpha - 1), 1 - alpha));
    return reduced('sigmoidFocalLoss', balanced, options, { weight });
  };
}

/** mseLoss() with its defaults. */
export const mse: Loss = mseLoss();
/** l1Loss() with its defaults. */
export const l1: Loss = l1Loss();
/** smoothL1Loss() with its defaults: beta 1. */
export const smoothL1: Loss = smoothL1Loss();
/** bceWithLogitsLoss() with its defaults. */
export const bceWithLogits: Loss = bceWithLogitsLoss();
/** huberLoss() with its defaults: delta 1. */
export const huber: Loss = huberLoss();
