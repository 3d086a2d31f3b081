import { writeWhole } from '../../src/io/file.ts';
import { checkPlaces } from '../../src/io/places.ts';
import { page } from './page.ts';
import type { Report } from './report.ts';

interface Places {
  readonly json?: string;
  readonly html?: string;
}

/** For before the work: throws where the files that are asked for could not be written. */
export const checkReports = ({ json, html }: Places) => checkPlaces({}, { '--json': json, '--html': html });

/** Writes the files that were asked for. */
export async function write(report: Report, { json, html }: Places): Promise<void> {
  const put = (file: string, text: string) => writeWhole(file, new TextEncoder().encode(text));
  if (json) await put(json, `${JSON.stringify(report, null, 2)}\n`);
  if (html) await put(html, await page(report));
}
