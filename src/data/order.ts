import { flag, required, seed, whole } from '../core/checks.ts';
import { optionsOf } from '../core/options.ts';
import { Random } from '../core/random.ts';

export interface OrderOptions {
  readonly seed: number;
  readonly epoch: number;
  readonly shuffle: boolean;
}

const check = optionsOf<OrderOptions>('batchOrder', {
  ...{ seed: required(seed), epoch: required(whole(0)), shuffle: required(flag) },
});

/** The order in which an epoch takes the samples: given by (seed, epoch) alone, so training can resume anywhere. */
export function batchOrder(length: number, options: OrderOptions): Uint32Array<ArrayBuffer> {
  const { seed, epoch, shuffle } = check(options);
  const order = Uint32Array.from({ length }, (_, i) => i);
  if (!shuffle) return order;
  const random = new Random(seed, epoch);
  // Fisher & Yates, from the end.
  for (let i = length - 1; i > 0; i--) {
    const j = random.int(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
