import { either, oneOf, required, whole } from '../core/checks.ts';
import { nested } from '../core/options.ts';
import type { Tensor, Tracer } from '../graph/trace.ts';

/** How the gradients of a step are gathered from several smaller batches. */
export interface AccumulateOptions {
  /** Micro-batches of a step; a batch of fewer samples has one for each. */
  readonly batches: number;
  /** What the loss is of its samples: their mean (if not given), or their sum. */
  readonly reduction?: 'mean' | 'sum';
}

export const accumulateCheck = either(
  whole(1),
  nested<AccumulateOptions>("train's accumulate", {
    batches: required(whole(1)),
    reduction: oneOf('mean', 'sum'),
  }),
);

/** A micro-batch: its samples, what its loss is multiplied by, and whether the update follows. */
export interface Part {
  readonly rows: number;
  readonly share: number;
  readonly isLast: boolean;
}

/** How many micro-batches a step has at most. */
export const batchesOf = (accumulate: number | AccumulateOptions = 1): number =>
  typeof accumulate === 'number' ? accumulate : accumulate.batches;

/** The micro-batches of a batch, as even as can be, the larger ones first. */
export function partsOf(samples: number, accumulate: number | AccumulateOptions = 1): Part[] {
  const count = Math.min(batchesOf(accumulate), samples);
  const isSum = typeof accumulate === 'object' && accumulate.reduction === 'sum';
  return Array.from({ length: count }, (_, i) => {
    const rows = Math.floor(samples / count) + (i < samples % count ? 1 : 0);
    return { rows, share: isSum ? 1 : rows / samples, isLast: i === count - 1 };
  });
}

/** Sums over a step's micro-batches, in states: zero before the first, added to by each, and taken out by the last. */
export class Sums {
  private readonly tracer: Tracer;
  private readonly part: Part;
  private loss: Tensor | undefined;

  constructor(tracer: Tracer, part: Part) {
    this.tracer = tracer;
    this.part = part;
  }

  /** The loss that gradients are taken of: its share in that of the step. */
  shareOf(loss: Tensor): Tensor {
    const { share } = this.part;
    return share === 1 ? loss : this.tracer.apply('scale', [loss], { factor: share });
  }

  /** Adds to the loss of the step so far; the sum. */
  addLoss(loss: Tensor): Tensor {
    this.loss = this.tracer.state('accumulated.loss', loss);
    const sum = this.tracer.apply('add', [this.loss, loss]);
    if (!this.part.isLast) this.tracer.amend(sum.id, { view: { of: this.loss.id, offset: 0 } });
    return sum;
  }

  /** Adds to the gradients of the step so far; the sum, which of the last micro-batch lies where its gradients did. */
  addGradients(flat: Tensor): Tensor {
    const { tracer, part } = this;
    const sums = tracer.state('accumulated.gradients', flat);
    const sum = tracer.apply('add', [sums, flat]);
    tracer.amend(sum.id, { view: { of: part.isLast ? flat.id : sums.id, offset: 0 } });
    if (part.isLast)
      for (const state of [sums, this.loss!]) {
        const { dtype, shape } = state;
        const zero = tracer.apply('fill', [], { value: 0, dtype, shape });
        tracer.amend(zero.id, { view: { of: state.id, offset: 0 } });
      }
    return sum;
  }
}
