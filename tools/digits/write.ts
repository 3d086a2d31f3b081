import { mkdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { writeWhole } from '../../src/io/file.ts';
import { checkPlaces } from '../../src/io/places.ts';
import { mnistFiles } from './mnist.ts';
import { page } from './page.ts';
import type { Report, ReportDetails } from './report.ts';

interface Places {
  /** Folder of both. */
  readonly out: string;
  /** Where the JSON goes, if not there. */
  readonly json?: string;
}

const pathsOf = ({ out, json }: Places) =>
  [json ?? join(out, 'report.json'), join(out, 'report.html')] as const;

/** For before the work: makes their folders, and throws where the two files could not be written. */
export async function checkReports(places: Places & { readonly data?: string }): Promise<void> {
  const [json, html] = pathsOf(places);
  for (const file of [json, html]) await mkdir(dirname(file), { recursive: true });
  const reads = mnistFiles(places.data).map((file) => [`--data, ${basename(file)}`, file]);
  await checkPlaces(Object.fromEntries(reads), { '--json': json, "--out's report.html": html });
}

/** Writes report.json and report.html; the files' paths. */
export async function writeReport(
  report: Report,
  { out, json, ...details }: ReportDetails & Places,
): Promise<readonly string[]> {
  const files = pathsOf({ out, json });
  for (const file of files) await mkdir(dirname(file), { recursive: true });
  const write = (file: string, text: string) => writeWhole(file, new TextEncoder().encode(text));
  await write(files[0], `${JSON.stringify(report, null, 2)}\n`);
  await write(files[1], await page(report, details));
  return files;
}
