import { duration } from '../../core/duration.ts';
import { costByLayer, costOfSteps, type LayerCost, type Plan } from '../../graph/plan.ts';
import type { Timing } from './measure.ts';

/** What most of a run's time goes to: arithmetic, bytes read and written, or starting it and waiting for it. */
export type Part = 'products' | 'memory' | 'launch';

/** What a run of a plan takes. */
export interface Prediction {
  /** One run, from values in to values out, in ms. */
  readonly ms: number;
  /** What most of it goes to. */
  readonly bound: Part;
}

/** One backend and one plan. */
export interface ExplainedBackend {
  /** The backend's name. */
  readonly backend: string;
  /** Whether the plan goes there. */
  readonly chosen: boolean;
  /** The least of a few runs on zeros, from values in to values out, in ms; undefined where it can't run there. */
  readonly measuredMs: number | undefined;
  /** What most of that goes to; undefined where it can't run there. */
  readonly bound: Part | undefined;
  /**
   * `measuredMs` and `bound`; undefined where it can't run there.
   * @deprecated Nothing is predicted any more: take those two.
   */
  readonly predicted: Prediction | undefined;
  /** Why it was chosen, passed over, or can't be. */
  readonly reason: string;
}

/** What a plan takes on each backend, and which was chosen. */
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
  products: 'arithmetic',
  memory: 'bytes',
  launch: 'starting and waiting',
};

/** Operations for each byte read or written, above which arithmetic takes the longer on the machines there are. */
const RIDGE = 8;

/** What was found out of one backend. */
export interface Found {
  readonly backend: string;
  readonly chosen: boolean;
  readonly timing: Timing | undefined;
  readonly reason: string;
}

export function explanation(plan: Plan, found: readonly Found[]): Explanation {
  const cost = { ...costOfSteps(plan.steps), layers: costByLayer(plan.steps) };
  const work: Part = cost.flops > RIDGE * cost.bytes ? 'products' : 'memory';
  const backends = found.map(({ backend, chosen, timing, reason }): ExplainedBackend => {
    const bound: Part = timing && timing.ms > 2 * timing.runMs ? 'launch' : work;
    const predicted = timing && { ms: timing.ms, bound };
    return { backend, chosen, measuredMs: predicted?.ms, bound: predicted?.bound, predicted, reason };
  });
  const lines = table([
    ['', 'backend', 'measured', 'bound by', 'why'],
    ...backends.map((b) => [
      b.chosen ? '*' : '',
      b.backend,
      b.measuredMs === undefined ? '-' : time(b.measuredMs),
      b.bound ? boundBy[b.bound] : '-',
      b.reason,
    ]),
  ]);
  const layers = table([
    ['layer', 'MFLOP', 'MB'],
    ...cost.layers.map(({ path, flops, bytes }) => [path || '-', mega(flops), mega(bytes)]),
  ]);
  const title = `${plan.name}: ${mega(cost.flops)} MFLOP, ${mega(cost.bytes)} MB a run`;
  return { plan: plan.name, ...cost, backends, toString: () => [title, ...lines, ...layers].join('\n') };
}

/** Rows as lines, each column as wide as its widest cell. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((r) => r[i].length)));
  const padded = rows.map((r) => r.map((cell, i) => cell.padEnd(widths[i])).join('  '));
  return padded.map((line) => line.trimEnd());
}

const mega = (n: number): string => (n / 1e6).toPrecision(3);

const time = (ms: number): string => duration(ms, { us: 1, ms: 2 });
