import type { TrainingCost } from '../../src/index.ts';
import type { Digits } from './mnist.ts';
import type { ServingCosts } from './serving.ts';
import type { Students } from './students.ts';

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
  readonly students: Students;
  /** Images over which the backends' bits were compared. */
  readonly images: number;
}
