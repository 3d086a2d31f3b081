import { real, required, whole } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import { optionsOf } from '../core/options.ts';

/** Options of cosine(). */
export interface CosineOptions {
  /** The highest rate. */
  readonly lr: number;
  /** Steps in all. */
  readonly total: number;
  /** Steps in which the rate rises; 0 if not given. */
  readonly warmup?: number;
  /** The rate that it falls to; 0 if not given. */
  readonly least?: number;
}

const check = optionsOf<CosineOptions>('cosine', {
  ...{ lr: required(real(0)), total: required(whole(1)), warmup: whole(0), least: real(0) },
});

/**
 * Rises linearly to `lr` over `warmup` steps, then falls along half a cosine towards `least`, where it stays after step `total`.
 * Without warm-up it is what torch's CosineAnnealingLR gives, stepped after each of `total` steps: the first step has `lr`.
 */
export function cosine(options: CosineOptions): (step: number) => number {
  const { lr, total, warmup = 0, least = 0 } = check(options);
  if (!(total > warmup && warmup >= 0))
    fail(
      'invalid_argument',
      `cosine: ${warmup} warm-up steps of ${total} in all; expected fewer than in all`,
    );
  return (step) => {
    if (step <= warmup) return (lr * step) / warmup;
    const done = Math.min(1, (step - 1 - warmup) / (total - warmup));
    return least + 0.5 * (lr - least) * (1 + Math.cos(Math.PI * done));
  };
}
