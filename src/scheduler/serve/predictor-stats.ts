import type { Backend } from '../../backend/backend.ts';
import type { Plan } from '../../graph/plan.ts';
import { EnergyMeter } from '../../io/energy.ts';
import { productOf } from '../../ops/index.ts';
import type { Product } from '../../ops/op.ts';

/** Latencies that percentiles are taken over: the newest this many. */
const REMEMBERED = 4096;

/** What a predictor did so far. */
export interface PredictorStats {
  /** Calls of predict that were not refused for their input. */
  readonly requests: number;
  /** Each request ends in exactly one of these four, or is still under way. */
  readonly answered: number;
  /** Refused, because too many were waiting. */
  readonly overloaded: number;
  /** Stopped by the caller. */
  readonly aborted: number;
  /** Ended with another error. */
  readonly failed: number;
  /** Not ended yet. */
  readonly underWay: number;
  /** Samples waiting for a batch now. */
  readonly queued: number;
  /** Batches run. */
  readonly batches: number;
  /** Samples in all batches. */
  readonly samples: number;
  /** Rows run without a sample: 0 unless the model does different things for different numbers of samples. */
  readonly paddedRows: number;
  /** Batches that were run again after the backend was lost under them. */
  readonly retried: number;
  /** What the cache did: requests by how they were answered, and what it holds. */
  readonly cache: {
    /** Requests answered from memory, joined to the same one under way, or computed. */
    readonly hits: number;
    readonly joined: number;
    readonly misses: number;
    /** (hits + joined) / all requests; 0 before the first. */
    readonly hitRate: number;
    readonly entries: number;
    readonly bytes: number;
  };
  /** From predict to answer, over the newest answers, in ms; undefined before the first. */
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number } | undefined;
}

/** What the answers of a predictor cost so far. */
export interface PredictorCost {
  /** Arithmetic of all runs, rows without a sample included. */
  readonly flops: number;
  /** Bytes moved by all runs. */
  readonly bytes: number;
  /** Time in runs, in ms. */
  readonly computeMs: number;
  /** Time that samples waited, summed over samples, in ms. */
  readonly waitingMs: number;
  /** Arithmetic over time in runs; undefined before the first batch. */
  readonly flopsPerSecond: number | undefined;
  /** That over what the backend can do at best in the model's kind of products; absent where this was not measured. */
  readonly shareOfLimit: number | undefined;
  /** Of all runs: arithmetic and bytes by op. */
  readonly ops: Readonly<Record<string, { readonly flops: number; readonly bytes: number }>>;
  /**
   * Taken by the processor's packages since the predictor was made, whatever else the machine did: Linux's RAPL counters.
   * Absent where they can't be read.
   */
  readonly joules: number | undefined;
  /** What the program holds (arena, weights as kernels read them) and what the cache does, in bytes. */
  readonly memoryBytes: number;
  /** The most that was. */
  readonly peakBytes: number;
}

type CostByOp = Record<string, { flops: number; bytes: number }>;

/** Counts what a predictor does. */
export class PredictorMeter {
  requests = 0;
  answered = 0;
  overloaded = 0;
  aborted = 0;
  failed = 0;
  batches = 0;
  samples = 0;
  paddedRows = 0;
  retried = 0;
  hits = 0;
  joined = 0;
  misses = 0;
  computeMs = 0;
  waitingMs = 0;
  private readonly energy = EnergyMeter.open();
  /** What a run costs: so much for each row, and so much besides. */
  private readonly perRow: CostByOp = {};
  private readonly perRun: CostByOp = {};
  private runs = 0;
  private rows = 0;
  /** Of what its products are made. */
  private readonly kind: Product['kind'];
  private peakBytes = 0;
  private readonly latencies = new Float64Array(REMEMBERED);
  private measured = 0;

  /** The plans for one row and for the most of them tell what a run costs. */
  constructor(one: Plan, widest: Plan, most: number) {
    this.kind = widest.steps.some((step) => productOf(step)?.kind === 'i8') ? 'i8' : 'f32';
    const [few, many] = [costByOp(one), costByOp(widest)];
    for (const [op, { flops, bytes }] of Object.entries(many)) {
      const { flops: f = flops, bytes: b = bytes } = few[op] ?? {};
      const row = most > 1 ? [(flops - f) / (most - 1), (bytes - b) / (most - 1)] : [0, 0];
      add(this.perRow, op, row[0], row[1]);
      add(this.perRun, op, flops - most * row[0], bytes - most * row[1]);
    }
  }

  /** Counts one run; what the runs come to is summed up when somebody asks. */
  ran(rows: number): void {
    this.energy?.look();
    this.runs++;
    this.rows += rows;
  }

  /** Notes how much is held. */
  holds(bytes: number): void {
    this.peakBytes = Math.max(this.peakBytes, bytes);
  }

  answer(latencyMs: number): void {
    this.answered++;
    this.latencies[this.measured++ % REMEMBERED] = latencyMs;
  }

  stats(queued: number, cache: { size: number; bytes: number } | undefined): PredictorStats {
    const { requests, answered, overloaded, aborted, failed, hits, joined, misses } = this;
    const { batches, samples, paddedRows, retried } = this;
    const looked = hits + joined + misses;
    return {
      ...{ requests, answered, overloaded, aborted, failed, queued },
      underWay: requests - answered - overloaded - aborted - failed,
      ...{ batches, samples, paddedRows, retried },
      cache: {
        ...{ hits, joined, misses },
        hitRate: looked ? (hits + joined) / looked : 0,
        entries: cache?.size ?? 0,
        bytes: cache?.bytes ?? 0,
      },
      latencyMs: this.percentiles(),
    };
  }

  /** `peak`: operations a second that the backend can do at best, if known. */
  cost(memoryBytes: number, peak: Backend['peak']): PredictorCost {
    const { computeMs, waitingMs } = this;
    this.holds(memoryBytes);
    const ops = this.costOfRuns();
    const [flops, bytes] = (['flops', 'bytes'] as const).map((of) =>
      Object.values(ops).reduce((sum, cost) => sum + cost[of], 0),
    );
    const flopsPerSecond = computeMs > 0 ? (flops / computeMs) * 1000 : undefined;
    const best = peak?.[this.kind];
    return {
      ...{ flops, bytes, computeMs, waitingMs, flopsPerSecond },
      shareOfLimit: best && flopsPerSecond && flopsPerSecond / best,
      ops,
      joules: this.energy?.joules(),
      ...{ memoryBytes, peakBytes: this.peakBytes },
    };
  }

  private costOfRuns(): CostByOp {
    const ops: CostByOp = {};
    if (this.runs === 0) return ops;
    for (const [op, { flops, bytes }] of Object.entries(this.perRun)) {
      const row = this.perRow[op];
      add(ops, op, this.runs * flops + this.rows * row.flops, this.runs * bytes + this.rows * row.bytes);
    }
    return ops;
  }

  private percentiles(): PredictorStats['latencyMs'] {
    const count = Math.min(this.measured, REMEMBERED);
    if (count === 0) return undefined;
    const sorted = this.latencies.slice(0, count).sort();
    const at = (share: number) => sorted[Math.min(count - 1, Math.ceil(share * count) - 1)];
    return { p50: at(0.5), p99: at(0.99), max: sorted[count - 1] };
  }
}

function costByOp(plan: Plan): CostByOp {
  const ops: CostByOp = {};
  for (const { op, cost } of plan.steps) add(ops, op, cost.flops, cost.bytes);
  return ops;
}

function add(ops: CostByOp, op: string, flops: number, bytes: number): void {
  ops[op] ??= { flops: 0, bytes: 0 };
  ops[op].flops += flops;
  ops[op].bytes += bytes;
}
