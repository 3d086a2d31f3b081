import { UnevenError } from '../../graph/growing.ts';
import type { Plan, Section, Step } from '../../graph/plan.ts';
import { productOf } from '../../ops/index.ts';
import type { LaidOutEntry } from '../entries.ts';
import { type ConfigOf, type EncodedStep, encodeSteps } from './encode.ts';
import type { ProductConfig } from './products.ts';
import { encodeArgs } from './record.ts';
import type { Scratch } from './scratch.ts';

/** What a run of so many rows is told. */
export interface Arguments {
  readonly args: ArrayBuffer;
  /** Of each dispatch. */
  readonly workgroups: readonly number[];
}

/** One dispatch, ready: its arguments are at `index` * ARGS_STRIDE. */
export interface Recorded {
  readonly section: Section;
  readonly pipeline: GPUComputePipeline;
  readonly index: number;
  readonly bindGroup: GPUBindGroup;
}

/** Arguments of other numbers of rows that are kept. */
const MOST_KEPT = 256;

/**
 * What an entry does for some numbers of rows: the same pipelines for all of them, and arguments and workgroups that are made
 * from the plan of each. A single row has a recording of its own, since kernels treat it apart.
 */
export class Recording {
  /** Fewest rows that it is taken for. */
  readonly least: number;
  /** As encoded for the most rows: which shaders, in which order. */
  readonly steps: readonly EncodedStep[];
  /** Number of its first arguments among those of its program. */
  readonly first: number;
  /** Rows that the arguments in the program's buffer are for. */
  rows: number;
  /** Told when it is compiled. */
  dispatches: readonly Recorded[] = [];
  private readonly entry: LaidOutEntry;
  private readonly configOf: ConfigOf;
  private readonly scratch: Scratch;
  private readonly kept = new Map<number, Arguments>();

  constructor(entry: LaidOutEntry, draft: RecordingDraft, scratch: Scratch, first: number) {
    this.entry = entry;
    this.least = draft.least;
    this.rows = draft.most;
    this.configOf = draft.configOf;
    this.scratch = scratch;
    this.first = first;
    this.steps = encodeSteps(entry.at(draft.most), draft.configOf, scratch);
    for (const rows of new Set([draft.least, draft.least + 1, draft.most - 1, draft.most]))
      if (rows >= draft.least && rows <= draft.most) this.at(rows);
  }

  /** What a run of so many rows is told. Throws UnevenError where that would take other shaders. */
  at(rows: number): Arguments {
    const known = this.kept.get(rows);
    if (known) return known;
    const { plan } = this.entry;
    const steps = encodeSteps(this.entry.at(rows), this.configOf, this.scratch);
    const same =
      steps.length === this.steps.length &&
      steps.every(({ dispatch }, i) => shaderOf(dispatch) === shaderOf(this.steps[i].dispatch));
    if (!same) throw new UnevenError(plan.name, `${rows} rows take other shaders than more of them do`);
    const dispatches = steps.map((s) => s.dispatch);
    const made = { args: encodeArgs(dispatches), workgroups: dispatches.map((d) => d.workgroups) };
    if (this.kept.size >= MOST_KEPT) this.kept.delete(this.kept.keys().next().value!);
    this.kept.set(rows, made);
    return made;
  }
}

const shaderOf = ({ shader, weights }: EncodedStep['dispatch']): string => JSON.stringify([shader, weights]);

/** A recording that is to be. */
export interface RecordingDraft {
  readonly least: number;
  readonly most: number;
  readonly configOf: ConfigOf;
}

/** The recordings of an entry: one for a single row, one for two and more. `choose` finds out how products are divided. */
export async function recordingDrafts(
  entry: LaidOutEntry,
  choose: (plan: Plan) => Promise<ReadonlyMap<Step, ProductConfig>>,
): Promise<RecordingDraft[]> {
  const { least, most } = entry;
  const stretches: [number, number][] =
    least === 1 && most > 1
      ? [
          [1, 1],
          [2, most],
        ]
      : [[least, most]];
  const drafts: RecordingDraft[] = [];
  for (const [from, to] of stretches) {
    const widest = entry.at(to);
    const configs = await choose(widest);
    const fewest = entry.at(from);
    const chosen = widest.steps.map((step, i): ProductConfig | undefined => {
      const config = configs.get(step);
      // Tiles that divide the most rows evenly need not divide others.
      return config && from < to && !sameSizes(step, fewest.steps[i]) ? { ...config, edges: true } : config;
    });
    drafts.push({ least: from, most: to, configOf: (_, i) => chosen[i] });
  }
  return drafts;
}

function sameSizes(a: Step, b: Step): boolean {
  const [p, q] = [productOf(a), productOf(b)];
  return p?.m === q?.m && p?.n === q?.n && p?.k === q?.k;
}
