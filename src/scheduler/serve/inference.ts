import { expectArray } from '../../core/arrays.ts';
import { allocate, type TypedArray } from '../../core/dtype.ts';
import { fail } from '../../core/errors.ts';
import { showShape, sizeOf } from '../../core/shape.ts';
import type { Plan, Slot } from '../../graph/plan.ts';
import { inferSlots } from '../../plans/infer.ts';
import type { Renewable } from '../choose/renewable.ts';
import { Turns } from '../turns/turns.ts';
import type { AnyRows } from './any-rows.ts';

/** Runs a frozen model forwards. Call it with any number of samples; they go through in batches. */
export interface Inference {
  /**
   * Outputs for `samples` (count x input size, f32, row-major): count x output size.
   * Any count is accepted; the last batch takes what is left. Throws 'busy' while a call is under way.
   */
  (samples: Float32Array, signal?: AbortSignal): Promise<Float32Array>;
  /** As the call, for the raw u8 output of an int8 model whose last layer is quantized. */
  quantized(samples: Float32Array, signal?: AbortSignal): Promise<Uint8Array>;
  /** What runs for one batch. */
  readonly plan: Plan;
  /** Samples that go through together. */
  readonly batchSize: number;
  /** Shape of one sample's output. */
  readonly outputShape: readonly number[];
  /** Gives back its memory; calls after it throw 'disposed'. */
  dispose(): void;
  /** dispose(), for `using`. */
  [Symbol.dispose](): void;
}

export async function createInference(
  programs: Renewable<AnyRows>,
  quantizedSlot: string,
  onDispose: () => void,
): Promise<Inference> {
  const plan = await programs.use(async (program) => program.plan);
  const input = plan.slots[inferSlots.input];
  const output = plan.slots[inferSlots.output];
  const runner = new Runner(programs, plan);
  const call = (samples: Float32Array, signal?: AbortSignal) =>
    runner.run(samples, output, signal) as Promise<Float32Array>;
  const dispose = () => {
    onDispose();
    programs.dispose();
  };
  return Object.assign(call, {
    quantized: async (samples: Float32Array, signal?: AbortSignal) => {
      const slot =
        plan.slots[quantizedSlot] ??
        fail('unsupported', `${plan.name}: the last layer is not quantized, so there is no u8 output`);
      return (await runner.run(samples, slot, signal)) as Uint8Array;
    },
    plan,
    batchSize: input.shape[0],
    outputShape: output.shape.slice(1),
    dispose,
    [Symbol.dispose]: dispose,
  });
}

class Runner {
  private readonly programs: Renewable<AnyRows>;
  private readonly plan: Plan;
  private readonly input: Slot;
  private readonly sampleSize: number;
  private busy = false;

  constructor(programs: Renewable<AnyRows>, plan: Plan) {
    this.programs = programs;
    this.plan = plan;
    this.input = plan.slots[inferSlots.input];
    this.sampleSize = sizeOf(this.input.shape.slice(1));
  }

  async run(samples: Float32Array, output: Slot, signal?: AbortSignal): Promise<TypedArray> {
    const count = this.check(samples);
    const batch = this.input.shape[0];
    const rowSize = sizeOf(output.shape) / batch;
    this.busy = true;
    try {
      const results = allocate(output.dtype, count * rowSize);
      if (count <= batch) await this.through(count, samples, output.name, results);
      else await this.inBatches(count, samples, output.name, results, signal);
      return results;
    } finally {
      this.busy = false;
    }
  }

  /** One batch. */
  private through(rows: number, samples: TypedArray, output: string, into: TypedArray): Promise<void> {
    const [inputs, outputs] = [{ [this.input.name]: samples }, { [output]: into }];
    return this.programs.use((programs) => programs.run(rows, inputs, outputs));
  }

  private async inBatches(
    count: number,
    samples: TypedArray,
    output: string,
    results: TypedArray,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const batch = this.input.shape[0];
    const turns = new Turns();
    const part = (all: TypedArray, from: number, to: number) =>
      all.subarray((from * all.length) / count, (to * all.length) / count);
    for (let at = 0; at < count; at += batch) {
      if (signal?.aborted)
        fail('aborted', `inference was stopped after ${at} of ${count} samples`, { cause: signal.reason });
      const end = Math.min(at + batch, count);
      await this.through(end - at, part(samples, at, end), output, part(results, at, end));
      await turns.breathe();
    }
  }

  private check(samples: Float32Array): number {
    const { name } = this.plan;
    if (this.busy) fail('busy', `${name}: a call is still under way; await it, or make a second inference`);
    expectArray(`${name}: the samples`, samples, 'f32');
    const sample = showShape(this.input.shape.slice(1));
    if (samples.length === 0)
      fail('invalid_argument', `${name}: got no samples, expected at least one of shape ${sample}`);
    const count = samples.length / this.sampleSize;
    if (!Number.isInteger(count))
      fail(
        'shape_mismatch',
        `${name}: ${samples.length} values are not a whole number of samples of shape ${sample}`,
      );
    return count;
  }
}
