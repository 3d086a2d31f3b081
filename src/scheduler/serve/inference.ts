import { checkBounds } from '../../backend/program.ts';
import { allocate, type TypedArray } from '../../core/dtype.ts';
import { fail } from '../../core/errors.ts';
import { sizeOf } from '../../core/shape.ts';
import type { AnySamples } from '../../data/batches.ts';
import { answersTo } from '../../data/predict.ts';
import type { Plan, Slot } from '../../graph/plan.ts';
import type { Tensor } from '../../graph/trace.ts';
import {
  type Arrays,
  type ArraysOf,
  byName,
  bySlot,
  countOf,
  mapFields,
  type ResultsOf,
  type Signature,
  sampleTypes,
  slotsOf,
  unnamed,
} from '../../model/signature.ts';
import type { Values } from '../../nn/module.ts';
import type { Renewable } from '../choose/renewable.ts';
import { Turns } from '../turns/turns.ts';
import type { AnyRows } from './any-rows.ts';

/** Raw u8 outputs, by name where they have names. */
export type RawOf<O extends Values> = O extends Tensor
  ? Uint8Array
  : { readonly [Name in keyof O]: Uint8Array };

/** Runs a frozen model forwards. Call it with any number of samples; they go through in batches. */
export interface Inference<I extends Values = Tensor, O extends Values = Tensor> {
  /**
   * Outputs for `samples` (count x input size, row-major): count x output size. A model whose inputs have names takes an array for
   * each, `{ ids, mask }`, and one whose outputs have names gives an array for each.
   * Any count is accepted; the last batch takes what is left. Throws 'busy' while a call is under way, 'out_of_range' for
   * an id that the model has no row for.
   */
  (samples: ArraysOf<I>, signal?: AbortSignal): Promise<ResultsOf<O>>;
  /** As the call, for the raw u8 output of an int8 model whose last layer is quantized. */
  quantized(samples: ArraysOf<I>, signal?: AbortSignal): Promise<RawOf<O>>;
  /** The same for all samples of a data set or stream, in order; its targets play no part. */
  predict(data: AnySamples, signal?: AbortSignal): Promise<ResultsOf<O>>;
  /** What runs for one batch. */
  readonly plan: Plan;
  /** Samples that go through together. */
  readonly batchSize: number;
  /** Types of one sample's inputs; `{ input }` where it has no name. */
  readonly inputs: Signature;
  /** Types of one sample's outputs; `{ output }` where it has no name. */
  readonly outputs: Signature;
  /** Shape of one sample's output, the first where there are several. */
  readonly outputShape: readonly number[];
  /** Gives back its memory; calls after it throw 'disposed'. */
  dispose(): void;
  /** dispose(), for `using`. */
  [Symbol.dispose](): void;
}

export async function createInference<I extends Values, O extends Values>(
  programs: Renewable<AnyRows>,
  rawSlot: (output: string) => string,
  onDispose: () => void,
): Promise<Inference<I, O>> {
  const plan = await programs.use(async (program) => program.plan);
  const runner = new Runner(programs, plan);
  const { inputs } = runner;
  const outputs = slotsOf('output', plan.slots);
  const answers = Object.keys(outputs).map((name) => runner.answer(name, outputs[name]));
  const dispose = () => {
    onDispose();
    programs.dispose();
  };
  const call = async (samples: ArraysOf<I>, signal?: AbortSignal) =>
    (await runner.run(samples, answers, signal)) as ResultsOf<O>;
  return Object.assign(call, {
    quantized: async (samples: ArraysOf<I>, signal?: AbortSignal) => {
      const raw = answers.map(({ name }) =>
        runner.answer(
          name,
          plan.slots[rawSlot(name)] ??
            fail(
              'unsupported',
              `${plan.name}: the last layer ${name === 'output' ? '' : `before '${name}' `}is not quantized, so there is no u8 output`,
            ),
        ),
      );
      return (await runner.run(samples, raw, signal)) as RawOf<O>;
    },
    predict: async (data: AnySamples, signal?: AbortSignal) => {
      const run = async (given: Arrays) => {
        signal?.throwIfAborted();
        const made = await runner.run(unnamed('input', given), answers);
        return (ArrayBuffer.isView(made) ? { output: made } : made) as Arrays;
      };
      return unnamed('output', await answersTo(data, runner.batch, run)) as ResultsOf<O>;
    },
    plan: shown(plan),
    batchSize: runner.batch,
    inputs: sampleTypes(inputs),
    outputs: sampleTypes(outputs),
    outputShape: Object.values(outputs)[0].shape.slice(1),
    dispose,
    [Symbol.dispose]: dispose,
  });
}

/** A slot that callers get the values of, by which name, and how many of them a sample has. */
interface Answer {
  readonly name: string;
  readonly slot: Slot;
  readonly size: number;
}

class Runner {
  readonly inputs: Readonly<Record<string, Slot>>;
  /** Samples that go through together. */
  readonly batch: number;
  private readonly programs: Renewable<AnyRows>;
  private readonly plan: Plan;
  private readonly names: readonly string[];
  private readonly types: Signature;
  private busy = false;

  constructor(programs: Renewable<AnyRows>, plan: Plan) {
    this.programs = programs;
    this.plan = plan;
    this.inputs = slotsOf('input', plan.slots);
    this.names = Object.keys(this.inputs);
    this.batch = Object.values(this.inputs)[0].shape[0];
    this.types = sampleTypes(this.inputs);
  }

  answer(name: string, slot: Slot): Answer {
    return { name, slot, size: sizeOf(slot.shape) / this.batch };
  }

  /** The values of these slots for samples, by the outputs' names. A call of one sample takes microseconds: little is made here. */
  async run(
    samples: unknown,
    outputs: readonly Answer[],
    signal?: AbortSignal,
  ): Promise<Arrays | Arrays[string]> {
    const { name } = this.plan;
    if (this.busy) fail('busy', `${name}: a call is still under way; await it, or make a second inference`);
    const given = byName(name, 'input', this.names, samples);
    const count = countOf(name, this.types, given);
    for (const field of this.names) checkBounds(this.inputs[field], given[field]);
    this.busy = true;
    try {
      const slots: Record<string, TypedArray> = {};
      const results = outputs.map(({ slot, size }) => {
        slots[slot.name] = allocate(slot.dtype, count * size);
        return slots[slot.name];
      });
      const inputs = bySlot('input', given);
      if (count <= this.batch) await this.through(count, inputs, slots);
      else await this.inBatches(count, inputs, slots, signal);
      if (outputs.length === 1 && outputs[0].name === 'output') return results[0];
      return Object.fromEntries(outputs.map((answer, i) => [answer.name, results[i]]));
    } finally {
      this.busy = false;
    }
  }

  /** One batch. */
  private through(rows: number, inputs: Arrays, outputs: Arrays): Promise<void> {
    return this.programs.use((programs) => programs.run(rows, inputs, outputs));
  }

  private async inBatches(
    count: number,
    inputs: Arrays,
    outputs: Arrays,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const turns = new Turns();
    const part = (arrays: Arrays, from: number, to: number) =>
      mapFields(arrays, (all) => all.subarray((from * all.length) / count, (to * all.length) / count));
    for (let at = 0; at < count; at += this.batch) {
      if (signal?.aborted)
        fail('aborted', `inference was stopped after ${at} of ${count} samples`, { cause: signal.reason });
      const end = Math.min(at + this.batch, count);
      await this.through(end - at, part(inputs, at, end), part(outputs, at, end));
      await turns.breathe();
    }
  }
}

/** A plan for people: what they do to its constants does not reach the model that lends them. */
const shown = (plan: Plan): Plan => ({
  ...plan,
  constants: plan.constants.map((constant) => ({
    ...constant,
    get data() {
      return constant.data.slice();
    },
  })),
});
