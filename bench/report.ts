import { writeFileSync } from 'node:fs';
import type { Result } from './case.ts';
import type { LimitName } from './limits.ts';
import { page } from './page.ts';

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

/** Writes the files that were asked for. */
export async function write(report: Report, { json, html }: { json?: string; html?: string }): Promise<void> {
  if (json) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
  if (html) writeFileSync(html, await page(report));
}
