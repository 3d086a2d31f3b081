import { alignUp } from '../graph/memory.ts';
import type { Step } from '../graph/plan.ts';

/**
 * Places behind an arena that kernels keep things in as long as the program lives: weights in the order in which they are read.
 * Whoever asks for as much by the same name gets the same place, so that plans for other numbers of rows, and other entries, share it.
 */
export class ExtraMemory {
  /** What all places take together, in the unit of `start`. */
  size = 0;
  private readonly start: number;
  private readonly unit: number;
  private readonly places = new Map<string, number>();

  /** The places begin at `start`, each at a multiple of `unit` behind it. */
  constructor(start: number, unit: number) {
    this.start = start;
    this.unit = unit;
  }

  take(name: string, size: number): number {
    const key = `${name} ${size}`;
    const known = this.places.get(key);
    if (known !== undefined) return known;
    const at = this.start + this.size;
    this.places.set(key, at);
    this.size = alignUp(this.size + size, this.unit);
    return at;
  }
}

/** A name for how a step reads its constants, the same for all that read them so; `otherwise` for a step without any. */
export function readerOf({ op, attrs, inputs }: Step, otherwise: string): string {
  const constants = inputs.filter((t) => t.constant).map(({ offset, shape }) => [offset, shape]);
  return constants.length === 0 ? otherwise : JSON.stringify([op, attrs, constants]);
}
