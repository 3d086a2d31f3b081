import { fail } from '../../../core/errors.ts';
import { alignUp } from '../../../graph/memory.ts';
import { ALIGNMENT, type Plan, type TensorRef } from '../../../graph/plan.ts';
import { kernelOf } from '../kernels.ts';
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
  readonly once: readonly TapeRecord[];
  readonly words: Uint32Array;
  readonly opcodes: ReadonlySet<number>;
}

/**
 * The tapes of a model at up to `most` samples. Every word of a record is either the same for any number of samples, or
 * grows evenly with it (a count, a number of rows): two tapes tell which, others check it.
 */
export function growingTapes(planOf: PlanOf, most: number, place: FrozenPlace): FrozenTapes {
  const widest = planOf(most);
  const extra = new ExtraMemory(place.extraAt);
  const at = (batch: number) => encodePlan(batch === most ? widest : planOf(batch), widest, place, extra);
  const full = at(most);
  const one = most === 1 ? full : at(1);
  const single: GrowingTape = { words: one.words, patches: new Uint32Array(0) };
  const encoded = most <= 2 ? [one, full] : [one, at(2), at(3), full];
  const many =
    most <= 2
      ? { words: full.words, patches: new Uint32Array(0) }
      : grow(encoded[1].words, encoded[2].words, widest.name);
  for (const batch of new Set([4, most - 1, most]))
    if (batch > 2 && batch <= most) checkGrowth(many, at(batch).words, batch, widest.name);
  // One sample may need other packed weights than many do: whatever any tape needs is made once.
  const once = new Map(encoded.flatMap((e) => e.once).map((r) => [JSON.stringify(r), r]));
  return {
    once: encode([...once.values()]),
    single,
    many,
    extraBytes: extra.bytes,
    opcodes: new Set(encoded.flatMap((e) => [...e.opcodes])),
  };
}

/** Places for packed weights: the same request of the same step gets the same one, at any number of samples. */
class ExtraMemory {
  bytes = 0;
  private readonly start: number;
  private readonly places = new Map<string, number>();

  constructor(start: number) {
    this.start = start;
  }

  take(step: number, request: number, bytes: number): number {
    const key = `${step} ${request} ${bytes}`;
    const at = this.places.get(key) ?? this.start + this.bytes;
    if (!this.places.has(key)) {
      this.places.set(key, at);
      this.bytes = alignUp(this.bytes + bytes, ALIGNMENT);
    }
    return at;
  }
}

function grow(two: Uint32Array, three: Uint32Array, name: string): GrowingTape {
  if (two.length !== three.length) fail('unsupported', uneven(name, 3));
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
    fail('unsupported', uneven(name, batch));
}

const uneven = (name: string, batch: number): string =>
  `${name}: what the model does does not grow evenly with the number of samples (at ${batch}), ` +
  'so one file can not serve every number; make its ops independent of the batch size, or set maxBatch to 1';

/** Records of a plan, its tensors at the places that they have in the widest one. */
function encodePlan(plan: Plan, widest: Plan, place: FrozenPlace, memory: ExtraMemory): Encoded {
  const refs = pair(plan, widest);
  const address = (t: TensorRef) =>
    place.address(refs.get(t) ?? fail('internal', `${plan.name}: a tensor has no place`));
  const once: TapeRecord[] = [];
  const main: TapeRecord[] = [];
  plan.steps.forEach((step, i) => {
    const kernel = kernelOf(step.op);
    if ('reason' in kernel) fail('unsupported', `${plan.name}: ${step.op}: ${kernel.reason}`);
    let requests = 0;
    const extra = (bytes: number) => memory.take(i, requests++, bytes);
    const full: Place = { ...place.tiles, scratch: place.scratch, scratchPerThread: 0, address, extra };
    const records = kernel.encode(step, full);
    // Extra memory is frozen with the weights: it can't hold what changes from run to run.
    if (requests > records.filter((r) => r.once).length)
      fail('unsupported', `${plan.name}: ${step.op} with weights that are not constant can't be frozen`);
    for (const record of records) (record.once ? once : main).push(record);
  });
  return { once, words: encode(main), opcodes: new Set([...once, ...main].map((r) => r.opcode)) };
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
    step.outputs.forEach((t, j) => void offsets.set(t, widest.steps[i].outputs[j].offset));
  });
  return offsets;
}
