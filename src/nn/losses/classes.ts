import { check, real, whole } from '../../core/checks.ts';
import { fail } from '../../core/errors.ts';
import { type Checks, optionsOf } from '../../core/options.ts';
import { showShape } from '../../core/shape.ts';
import { add, logSoftmax, mul, scale, sum } from '../../functions/index.ts';
import type { Tensor } from '../../graph/trace.ts';
import type { TensorType } from '../../ops/op.ts';
import { apply, type Loss, type LossOptions, lossChecks, reduced, targetOf } from './loss.ts';

/** Options of losses whose targets are class numbers. */
export interface ClassOptions extends LossOptions {
  /** A weight for each class. A mean is divided by the sum of the targets' weights, so a batch of one class has the loss without weights. */
  readonly weight?: readonly number[] | Float32Array;
  /**
   * Rows with this target are left out: they cost nothing, have no gradient, and a mean is over the others (NaN where there are none,
   * with gradients of 0). May be a class, whose logit stays in the denominator. None if not given, so that a target that is no class is
   * refused: PyTorch ignores -100 unasked.
   */
  readonly ignoreIndex?: number;
}

const weights = check('finite numbers from 0, one for each class', (given) => {
  const isList = Array.isArray(given) || given instanceof Float32Array;
  return isList && given.length > 0 && Array.prototype.every.call(given, (w) => real(0)(w));
});
const classChecks: Checks<ClassOptions> = {
  ...lossChecks,
  weight: weights,
  ignoreIndex: whole(-(2 ** 31), 2 ** 31 - 1),
};

/** Options of crossEntropyLoss(). */
export interface CrossEntropyOptions extends ClassOptions {
  /** Share of each target spread evenly over all classes. */
  readonly labelSmoothing?: number;
}

const checkCrossEntropy = optionsOf<CrossEntropyOptions>('crossEntropyLoss', {
  ...classChecks,
  labelSmoothing: real(0, 1),
});
const checkNll = optionsOf<ClassOptions>('nllLoss', classChecks);

const classNumbers = (output: TensorType): TensorType => ({ dtype: 'i32', shape: output.shape.slice(0, -1) });

function classLoss(of: string, options: CrossEntropyOptions, logChances: boolean): Loss {
  const { weight: perClass, ignoreIndex, labelSmoothing = 0 } = options;
  const ignoring = ignoreIndex === undefined ? {} : { ignoreIndex };
  return Object.assign(
    (output: Tensor, given: Parameters<Loss>[1]) => {
      const { target, weight } = targetOf(of, given);
      const classes = perClass && weightsOf(of, output, perClass);
      // With weights of classes, what smoothing spreads is weighed class by class, and so is no part of the row's own loss.
      const apart = classes && labelSmoothing > 0 ? labelSmoothing : 0;
      const rows = apply('cross_entropy', [output, target], {
        labelSmoothing: apart ? 0 : labelSmoothing,
        ...ignoring,
        ...(logChances && { logChances }),
      });
      if (!classes && ignoreIndex === undefined) return reduced(of, rows, options, { weight });
      const counts = apply('target_weights', classes ? [target, classes] : [target], ignoring);
      let losses = classes ? mul(rows, counts) : rows;
      if (classes && apart) {
        const known = apply('target_weights', [target], ignoring);
        const spread = scale(sum(mul(logSoftmax(output), classes), { axes: -1 }), -apart / classes.shape[0]);
        losses = add(scale(losses, 1 - apart), mul(spread, known));
      }
      return reduced(of, losses, options, { counts, weight });
    },
    { target: classNumbers },
  );
}

function weightsOf(of: string, output: Tensor, given: readonly number[] | Float32Array): Tensor {
  const classes = output.shape.at(-1);
  if (given.length !== classes)
    fail(
      'shape_mismatch',
      `${of}: got ${given.length} weights for logits ${showShape(output.shape)}, expected one for each of ${classes} classes`,
    );
  return output.tracer.constant(Float32Array.from(given), { dtype: 'f32', shape: [given.length] });
}

/** Softmax cross-entropy of logits (..., classes) against class numbers i32 (...); torch.nn.CrossEntropyLoss, classes last. */
export const crossEntropyLoss = (given?: CrossEntropyOptions): Loss =>
  classLoss('crossEntropyLoss', checkCrossEntropy(given), false);

/** The same of logarithms of chances (..., classes), as logSoftmax gives them; torch.nn.NLLLoss, classes last. */
export const nllLoss = (given?: ClassOptions): Loss => classLoss('nllLoss', checkNll(given), true);

/** crossEntropyLoss() with its defaults. */
export const crossEntropy: Loss = crossEntropyLoss();
