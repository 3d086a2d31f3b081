import { Random } from '../core/random.ts';

export interface OrderOptions {
  readonly seed: number;
  readonly epoch: number;
  readonly shuffle: boolean;
}

/** The order in which an epoch takes the samples: given by (seed, epoch) alone, so training can resume anywhere. */
export function batchOrder(length: number, { seed, epoch, shuffle }: OrderOptions): Uint32Array<ArrayBuffer> {
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
