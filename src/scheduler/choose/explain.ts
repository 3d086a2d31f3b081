import type { LayerCost } from '../../graph/plan.ts';
import type { Part, Prediction } from './predict.ts';

/** One backend and one plan. */
export interface ExplainedBackend {
  /** The backend's name. */
  readonly backend: string;
  /** Whether the plan goes there. */
  readonly chosen: boolean;
  /** Undefined where it can't run the plan, or is not there. */
  readonly predicted: Prediction | undefined;
  /** Mean of real runs, in ms; undefined before there were two. */
  readonly measuredMs: number | undefined;
  /** Why it was chosen, passed over, or can't be. */
  readonly reason: string;
}

/** What each backend would take for a plan, and which was chosen. */
export interface Explanation {
  /** The plan's name. */
  readonly plan: string;
  /** Arithmetic of one run, in operations. */
  readonly flops: number;
  /** Bytes that the steps of one run read and write. */
  readonly bytes: number;
  /** Both of each layer of the model. */
  readonly layers: readonly LayerCost[];
  /** Each backend there is, or why there is none. */
  readonly backends: readonly ExplainedBackend[];
  /** The table as text. */
  toString(): string;
}

const boundBy: Record<Part, string> = {
  products: 'arithmetic of products',
  memory: 'bytes of other steps',
  functions: 'arithmetic of other steps',
  steps: 'steps, one by one',
  launch: 'starting and waiting',
  transfer: 'bytes in and out',
};

export function explanation(
  plan: string,
  cost: { flops: number; bytes: number; layers: readonly LayerCost[] },
  backends: readonly ExplainedBackend[],
): Explanation {
  const lines = table([
    ['', 'backend', 'predicted', 'measured', 'bound by', 'why'],
    ...backends.map((b) => [
      b.chosen ? '*' : '',
      b.backend,
      b.predicted ? time(b.predicted.ms) : '-',
      b.measuredMs === undefined ? '-' : time(b.measuredMs),
      b.predicted ? boundBy[b.predicted.bound] : '-',
      b.reason,
    ]),
  ]);
  const layers = table([
    ['layer', 'MFLOP', 'MB'],
    ...cost.layers.map(({ path, flops, bytes }) => [path || '-', mega(flops), mega(bytes)]),
  ]);
  const title = `${plan}: ${mega(cost.flops)} MFLOP, ${mega(cost.bytes)} MB a run`;
  return { plan, ...cost, backends, toString: () => [title, ...lines, ...layers].join('\n') };
}

/** Rows as lines, each column as wide as its widest cell. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((r) => r[i].length)));
  const padded = rows.map((r) => r.map((cell, i) => cell.padEnd(widths[i])).join('  '));
  return padded.map((line) => line.trimEnd());
}

const mega = (n: number): string => (n / 1e6).toPrecision(3);

const time = (ms: number): string =>
  ms < 1 ? `${(ms * 1000).toPrecision(3)} us` : `${ms.toPrecision(3)} ms`;
