import type { Result } from '../run/case.ts';
import type { LimitName } from '../run/limits.ts';

/** What --json writes. */
export interface Report {
  readonly date: string;
  readonly command: string;
  readonly machine: string;
  readonly runtime: string;
  /** Medians of all measurements in the run, in units of limitUnits, for as many threads as the engine has. */
  readonly limits: Partial<Record<LimitName, number>>;
  readonly results: readonly Result[];
}
