import { fail } from '../core/errors.ts';

/** Rises linearly to `lr` over `warmup` steps, then falls along half a cosine to `least` at step `total`. */
export function cosine(options: {
  lr: number;
  total: number;
  warmup?: number;
  least?: number;
}): (step: number) => number {
  const { lr, total, warmup = 0, least = 0 } = options;
  if (!(total > warmup && warmup >= 0))
    fail(
      'invalid_argument',
      `cosine: ${warmup} warm-up steps of ${total} in all; expected fewer than in all`,
    );
  return (step) => {
    if (step < warmup) return (lr * step) / warmup;
    const done = Math.min(1, (step - warmup) / (total - warmup));
    return least + 0.5 * (lr - least) * (1 + Math.cos(Math.PI * done));
  };
}
