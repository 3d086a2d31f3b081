import { mkdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { TrainingCost } from '../../src/index.ts';
import { writeWhole } from '../../src/io/file.ts';
import { checkPlaces } from '../../src/io/places.ts';
import { type Digits, mnistFiles } from './mnist.ts';
import { page } from './page.ts';
import type { ServingCosts } from './serving.ts';

/** out/report.json */
export interface Report {
  readonly dataset: { readonly train: number; readonly test: number };
  readonly backend: string;
  readonly build: string;
  readonly threads: number;
  readonly seed: number;
  readonly train: {
    readonly seconds: number;
    readonly steps: number;
    readonly samples_per_second: number;
    readonly flops: number;
    readonly final_loss: number;
  };
  /** Shares of the test images, 0 to 1; agreement: the same answer in f32 and int8. */
  readonly accuracy: { readonly f32: number; readonly int8: number; readonly agreement: number };
  readonly bit_identical: { readonly backends: readonly string[]; readonly identical: boolean };
  /** Microseconds for one image. */
  readonly inference: {
    readonly f32_us_batch1: number;
    readonly f32_us_batch64: number;
    readonly int8_us_batch1: number;
    readonly int8_us_batch64: number;
  };
  readonly size: { readonly f32_bytes: number; readonly int8_bytes: number };
  readonly cost: {
    readonly train_flops: number;
    readonly infer_flops: number;
    readonly breakeven_inferences: number;
  };
  readonly finetune: {
    readonly before: number;
    readonly after: number;
    readonly original_unchanged: boolean;
  };
}

/** What the page shows besides the report's figures. */
export interface ReportDetails {
  readonly losses: readonly number[];
  readonly epochs: number;
  readonly batchSize: number;
  /** The int8 model's answers to the test images. */
  readonly answers: Uint8Array;
  readonly digits: Digits;
  readonly trainBytes: number;
  readonly inferBytes: number;
  readonly breakEvenByTime: number;
  /** What the training says that it cost, and what answers do when many ask. */
  readonly training: TrainingCost;
  readonly serving: ServingCosts;
  /** Images over which the backends' bits were compared. */
  readonly images: number;
}

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
