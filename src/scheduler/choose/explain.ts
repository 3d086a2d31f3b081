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
  cost: { flops: number; bytes: number },
  backends: readonly ExplainedBackend[],
): Explanation {
  const head = ['', 'backend', 'predicted', 'measured', 'bound by', 'why'];
  const rows = backends.map((b) => [
    b.chosen ? '*' : '',
    b.backend,
    b.predicted ? time(b.predicted.ms) : '-',
    b.measuredMs === undefined ? '-' : time(b.measuredMs),
    b.predicted ? boundBy[b.predicted.bound] : '-',
    b.reason,
  ]);
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((r) => r[i].length)));
  const lines = [head, ...rows].map((r) =>
    r
      .map((cell, i) => cell.padEnd(widths[i]))
      .join('  ')
      .trimEnd(),
  );
  const title = `${plan}: ${(cost.flops / 1e6).toPrecision(3)} MFLOP, ${(cost.bytes / 1e6).toPrecision(3)} MB a run`;
  return { plan, ...cost, backends, toString: () => [title, ...lines].join('\n') };
}

const time = (ms: number): string =>
  ms < 1 ? `${(ms * 1000).toPrecision(3)} us` : `${ms.toPrecision(3)} ms`;
