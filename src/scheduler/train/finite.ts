import { BiphaseError } from '../../core/errors.ts';

/** What of a training step was the first to hold NaN or infinity. */
export type Quantity = 'input' | 'output' | 'loss' | 'gradient' | 'weight' | 'buffer' | 'moment';

/** Where a training was no longer finite. */
export interface NotFinite {
  /** The step whose forward pass, gradients or update were not finite, counted from 1; the training stands before it. */
  readonly step: number;
  /** The epoch of the fit that the step was in, counted from 1; undefined for stepOn(). */
  readonly epoch: number | undefined;
  /** What was the first to hold it. */
  readonly quantity: Quantity;
  /** The layer it came up in, by its name in the state dict: 'encoder.2'; undefined outside of layers, as in the loss. */
  readonly layer: string | undefined;
  /** The parameter, or the one nearest before it, by its name in the state dict; undefined where none is near. */
  readonly parameter: string | undefined;
  /** What was found there: NaN, Infinity or -Infinity. */
  readonly value: number;
}

/** Thrown by a training whose numbers are no longer finite; `code` is 'not_finite'. The training stands before that step. */
export class NotFiniteError extends BiphaseError implements NotFinite {
  readonly step: number;
  readonly epoch: number | undefined;
  readonly quantity: Quantity;
  readonly layer: string | undefined;
  readonly parameter: string | undefined;
  readonly value: number;

  constructor(message: string, { step, epoch, quantity, layer, parameter, value }: NotFinite) {
    super('not_finite', message);
    this.step = step;
    this.epoch = epoch;
    this.quantity = quantity;
    this.layer = layer;
    this.parameter = parameter;
    this.value = value;
  }
}

/** Says that something was not finite, to who then looks for what it was: never seen by callers. */
export class Broken extends BiphaseError {
  constructor() {
    super('not_finite', 'the training is no longer finite');
  }
}

const BLOCK = 1024;

/** Position of the first NaN or infinity, or -1. */
export function firstNotFinite(values: ArrayLike<number>): number {
  for (let start = 0; start < values.length; start += BLOCK) {
    const end = Math.min(values.length, start + BLOCK);
    // 0 x is 0 for finite x alone. Four sums, so that no addition waits for the one before.
    let [a, b, c, d] = [0, 0, 0, 0];
    let i = start;
    for (; i + 3 < end; i += 4) {
      a += values[i] * 0;
      b += values[i + 1] * 0;
      c += values[i + 2] * 0;
      d += values[i + 3] * 0;
    }
    for (; i < end; i++) a += values[i] * 0;
    if (a + b + c + d !== 0) for (let j = start; j < end; j++) if (!Number.isFinite(values[j])) return j;
  }
  return -1;
}
