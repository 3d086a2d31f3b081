import { fail } from '../../core/errors.ts';
import { type DataPrint, isPrint } from './data-print.ts';
import type { Snapshot } from './snapshots.ts';

/** What early stopping knows beside the training's own state. */
export interface Stopping {
  /** What has to become better. */
  readonly monitor: string;
  /** Looks in a row that brought nothing better. */
  readonly waited: number;
  /** The best look: what it measured, and the step it was after; undefined before there is one. */
  readonly best: { readonly value: number; readonly step: number } | undefined;
  /** Whether the fit has ended and put the training where it was best. `other` is where the steps led, then; else the best state. */
  readonly left: boolean;
  /** Another state than the training's own; undefined where that is it, or where the best is not kept. */
  readonly other: Snapshot | undefined;
  /** What some of the samples are that it looks at. */
  readonly data: DataPrint | undefined;
}

/** Before the names of tensors of the other state. */
export const OTHER = 'other:';

/** All but the other state, as text: numbers too, as JSON has no infinity. */
export const stoppingText = ({ monitor, waited, best, left, other, data }: Stopping): string =>
  JSON.stringify({
    ...{ monitor, waited, left, data },
    best: best && [best.step, String(best.value)],
    other: other?.step,
  });

/** Reads it again; `other` is the step of the other state. Throws 'invalid_data' for what stoppingText() did not write. */
export function stoppingIn(text: string): Omit<Stopping, 'other'> & { readonly other: number | undefined } {
  try {
    const { monitor, waited, best, left, other, data } = JSON.parse(text);
    const isStep = (n: unknown) => Number.isSafeInteger(n) && (n as number) >= 0;
    const isBest = best === undefined || (isStep(best[0]) && !Number.isNaN(Number.parseFloat(best[1])));
    if (
      typeof monitor === 'string' &&
      isStep(waited) &&
      isBest &&
      typeof left === 'boolean' &&
      (other === undefined || isStep(other)) &&
      (data === undefined || isPrint(data))
    )
      return { monitor, waited, left, other, data, best: best && { step: best[0], value: Number(best[1]) } };
  } catch {}
  return fail(
    'invalid_data',
    `the checkpoint's stopping is '${text.slice(0, 80)}', expected that of a fit with early stopping`,
  );
}
