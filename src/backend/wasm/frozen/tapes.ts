import { fail } from '../../../core/errors.ts';
import type { Plan, TensorRef } from '../../../graph/plan.ts';
import { kernels } from '../kernels.ts';
import { encode, type Place, type TapeRecord } from '../tape.ts';
import type { Tiles } from '../tiles.ts';

/** Makes the plan of a model for any number of samples. */
export type PlanOf = (batch: number) => Plan;

/** Where a frozen module keeps things; addresses of the plan for the most samples serve all of them. */
export interface FrozenPlace {
  readonly tiles: Tiles;
  readonly address: (offset: number) => number;
  readonly extraAt: number;
  readonly scratch: number;
}

/** A tape written for 0 samples, and which of its words grow with them: pairs of (byte offset, step). */
export interface GrowingTape {
  readonly words: Uint32Array;
  readonly patches: Uint32Array;
}

export interface FrozenTapes {
  /** Records that run once, when a module is made. */
  readonly once: Uint32Array;
  /** For one sample; for two and more, where there may be so many. */
  readonly single: GrowingTape;
  readonly many: GrowingTape;
  readonly extraBytes: number;
  readonly opcodes: ReadonlySet<number>;
}

interface Encoded {
  readonly once: Uint32Array;
  readonly words: Uint32Array;
  readonly extraBytes: number;
  readonly opcodes: ReadonlySet<number>;
}

/**
 * The tapes of a model at up to `most` samples. Every word of a record is either the same for any number of samples, or
 * grows evenly with it (a count, a number of rows): two tapes tell which, others check it.
 */
export function growingTapes(planOf: PlanOf, most: number, place: FrozenPlace): FrozenTapes {
  const widest = planOf(most);
  const at = (batch: number) => encodePlan(batch === most ? widest : planOf(batch), widest, place);
  const full = at(most);
  const one = most === 1 ? full : at(1);
  const single: GrowingTape = { words: one.words, patches: new Uint32Array(0) };
  const many =
    most <= 2 ? { words: full.words, patches: new Uint32Array(0) } : grow(at(2).words, at(3).words);
  for (const batch of new Set([4, most - 1, most]))
    if (batch > 2 && batch <= most) checkGrowth(many, at(batch).words, batch, widest.name);
  return { once: full.once, single, many, extraBytes: full.extraBytes, opcodes: full.opcodes };
}

function grow(two: Uint32Array, three: Uint32Array): GrowingTape {
  const patches: number[] = [];
  const words = two.map((word, i) => {
    const step = (three[i] - word) | 0;
    if (step !== 0) patches.push(i * 4, step);
    return word - 2 * step;
  });
  return { words, patches: Uint32Array.from(patches) };
}

function checkGrowth({ words, patches }: GrowingTape, want: Uint32Array, batch: number, name: string): void {
  const got = words.slice();
  for (let p = 0; p < patches.length; p += 2) got[patches[p] / 4] += patches[p + 1] * batch;
  if (got.length !== want.length || got.some((word, i) => word !== want[i]))
    fail(
      'unsupported',
      `${name}: what the model does does not grow evenly with the number of samples (at ${batch}), ` +
        'so one file can not serve every number; make its ops independent of the batch size, or set maxBatch to 1',
    );
}

/** Records of a plan, its tensors at the places that they have in the widest one. */
function encodePlan(plan: Plan, widest: Plan, place: FrozenPlace): Encoded {
  const refs = pair(plan, widest);
  let extraBytes = 0;
  const full: Place = {
    ...place.tiles,
    scratch: place.scratch,
    scratchPerThread: 0,
    address: (t) => place.address(refs.get(t) ?? fail('internal', `${plan.name}: a tensor has no place`)),
    extra: (bytes) => {
      const at = place.extraAt + extraBytes;
      extraBytes += Math.ceil(bytes / 64) * 64;
      return at;
    },
  };
  const once: TapeRecord[] = [];
  const main: TapeRecord[] = [];
  for (const step of plan.steps) {
    const kernel = kernels[step.op];
    if ('reason' in kernel) fail('unsupported', `${plan.name}: ${step.op}: ${kernel.reason}`);
    const before = extraBytes;
    const records = kernel.encode(step, full);
    // Extra memory is frozen with the weights: it can't hold what changes from run to run.
    if (extraBytes > before && !records.some((r) => r.once))
      fail('unsupported', `${plan.name}: ${step.op} with weights that are not constant can't be frozen`);
    for (const record of records) (record.once ? once : main).push(record);
  }
  return {
    once: encode(once),
    words: encode(main),
    extraBytes,
    opcodes: new Set([...once, ...main].map((r) => r.opcode)),
  };
}

/** Offsets in the widest plan, by the tensors of a plan for fewer samples: the same steps in the same order. */
function pair(plan: Plan, widest: Plan): Map<TensorRef, number> {
  const sameSteps =
    plan.steps.length === widest.steps.length &&
    plan.steps.every(
      (s, i) => s.op === widest.steps[i].op && s.inputs.length === widest.steps[i].inputs.length,
    );
  const sameConstants = plan.constants.every((c, i) => c.data.length === widest.constants[i]?.data.length);
  if (!sameSteps || !sameConstants)
    fail(
      'unsupported',
      `${plan.name}: the model does different things than at batch ${widest.slots.input?.shape[0]}; ` +
        'make its ops independent of the batch size, or set maxBatch to 1',
    );
  const offsets = new Map<TensorRef, number>();
  plan.steps.forEach((step, i) => {
    step.inputs.forEach((t, j) => {
      offsets.set(t, widest.steps[i].inputs[j].offset);
    });
    if (step.output) offsets.set(step.output, widest.steps[i].output!.offset);
  });
  return offsets;
}
