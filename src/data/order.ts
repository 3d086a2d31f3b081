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
  return shuffleInPlace(order, new Random(seed, epoch));
}

/** Every order equally likely. Fisher & Yates, from the end. */
export function shuffleInPlace<T extends { [i: number]: unknown; readonly length: number }>(
  list: T,
  random: Random,
): T {
  for (let i = list.length - 1; i > 0; i--) {
    const j = random.int(i + 1);
    [list[i], list[j]] = [list[j], list[i]];
  }
  return list;
}
