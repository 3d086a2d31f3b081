import {
  costByLayer,
  costOfSteps,
  type LayerCost,
  type Plan,
  type Section,
  sections,
} from '../../graph/plan.ts';
import { EnergyMeter } from '../../io/energy.ts';
import type { Recovery } from './recovery.ts';

/** One step of this many is timed section by section. */
const SAMPLED = 64;

/** What a training cost so far. Times in ms. */
export interface TrainingCost {
  /** Steps made; those made again after a fault count in `flops`, `bytes` and `stepMs` too. */
  readonly steps: number;
  /** Arithmetic of all steps, in operations. */
  readonly flops: number;
  /** Bytes that all steps read and wrote. */
  readonly bytes: number;
  /** Time in steps, and time that steps waited for batches of inference on the same engine. */
  readonly stepMs: number;
  /** Time that steps waited for batches of inference, in ms. */
  readonly waitingMs: number;
  /** Arithmetic over time in steps; undefined before the first. */
  readonly flopsPerSecond: number | undefined;
  /** That over what the backend can do in f32 at best; absent where this was not measured. */
  readonly shareOfLimit: number | undefined;
  /**
   * Taken by the processor's packages since the first step, whatever else the machine did: Linux's RAPL counters. Absent where
   * they can't be read.
   */
  readonly joules: number | undefined;
  /** By section of a step: arithmetic and bytes of all steps, and the mean time of those sampled (one step of 64). */
  readonly sections: Readonly<
    Record<Section, { readonly flops: number; readonly bytes: number; readonly meanMs: number | undefined }>
  >;
  /** By layer of the model: arithmetic and bytes of all steps, forward, backward and update together. */
  readonly layers: readonly LayerCost[];
  /** Snapshots in memory, against faults; `everySteps` is how far apart they are as times are now. */
  readonly snapshots: {
    readonly taken: number;
    readonly ms: number;
    readonly everySteps: number | undefined;
  };
  /** Checkpoints written, and the time they took. */
  readonly checkpoints: { readonly written: number; readonly ms: number };
  /** Recoveries, their time, and the steps made again. */
  readonly recoveries: { readonly count: number; readonly ms: number; readonly replayedSteps: number };
  /** The most that was held at once: arena and two snapshots of the state. */
  readonly peakBytes: number;
}

type Sums = Record<Section, { flops: number; bytes: number; ms: number; samples: number }>;

/** Adds up what a training costs. */
export class TrainingMeter {
  stepMs = 0;
  waitingMs = 0;
  checkpoints = { written: 0, ms: 0 };
  peakBytes = 0;
  private runs = 0;
  private energy: EnergyMeter | undefined;
  private readonly sums = Object.fromEntries(
    sections.map((s) => [s, { flops: 0, bytes: 0, ms: 0, samples: 0 }]),
  ) as Sums;
  private readonly layers = new Map<string, { flops: number; bytes: number }>();
  private readonly perRun = new WeakMap<Plan, { sections: Sums; layers: readonly LayerCost[] }>();

  /** Counts one run of a step's plans. */
  ran(plans: readonly Plan[]): void {
    if (this.runs === 0) this.energy = EnergyMeter.open();
    else this.energy?.look();
    for (const plan of plans) this.add(this.costOf(plan));
    this.runs++;
  }

  private add(cost: { readonly sections: Sums; readonly layers: readonly LayerCost[] }): void {
    for (const s of sections) {
      this.sums[s].flops += cost.sections[s].flops;
      this.sums[s].bytes += cost.sections[s].bytes;
    }
    for (const { path, flops, bytes } of cost.layers) {
      const sum = this.layers.get(path)!;
      sum.flops += flops;
      sum.bytes += bytes;
    }
  }

  /** Whether the next step's sections are to be timed: not the first, in which kernels are still being compiled. */
  get samplesNext(): boolean {
    return this.runs % SAMPLED === 2;
  }

  sampled(section: Section, ms: number): void {
    this.sums[section].ms += ms;
    this.sums[section].samples++;
  }

  /** `peak`: operations a second that the backend can do at best, if known. */
  cost(
    steps: number,
    snapshots: TrainingCost['snapshots'],
    recoveries: readonly Recovery[],
    peak: number | undefined,
  ): TrainingCost {
    const { sums, stepMs, waitingMs, checkpoints, peakBytes } = this;
    const flops = sections.reduce((sum, s) => sum + sums[s].flops, 0);
    const flopsPerSecond = stepMs > 0 ? (flops / stepMs) * 1000 : undefined;
    return {
      ...{ steps, flops, stepMs, waitingMs, snapshots, checkpoints: { ...checkpoints }, peakBytes },
      recoveries: {
        count: recoveries.length,
        ms: recoveries.reduce((sum, r) => sum + r.ms, 0),
        replayedSteps: recoveries.reduce((sum, r) => sum + r.replayedSteps, 0),
      },
      bytes: sections.reduce((sum, s) => sum + sums[s].bytes, 0),
      flopsPerSecond,
      shareOfLimit: peak && flopsPerSecond && flopsPerSecond / peak,
      joules: this.energy?.joules(),
      sections: Object.fromEntries(
        sections.map((s) => {
          const { flops, bytes, ms, samples } = sums[s];
          return [s, { flops, bytes, meanMs: samples ? ms / samples : undefined }];
        }),
      ) as TrainingCost['sections'],
      layers: [...this.layers].map(([path, sum]) => ({ path, ...sum })),
    };
  }

  private costOf(plan: Plan) {
    let cost = this.perRun.get(plan);
    if (cost) return cost;
    const of = (section: Section) => costOfSteps(plan.steps.filter((s) => s.section === section));
    const layers = costByLayer(plan.steps);
    for (const { path } of layers) if (!this.layers.has(path)) this.layers.set(path, { flops: 0, bytes: 0 });
    const bySection = sections.map((s) => [s, { ...of(s), ms: 0, samples: 0 }]);
    cost = { sections: Object.fromEntries(bySection) as Sums, layers };
    this.perRun.set(plan, cost);
    return cost;
  }
}
