import type { Program } from '../../backend/backend.ts';
import { expectArray } from '../../core/arrays.ts';
import { allocate, type TypedArray } from '../../core/dtype.ts';
import { fail } from '../../core/errors.ts';
import { showShape, sizeOf } from '../../core/shape.ts';
import type { Plan, Slot } from '../../graph/plan.ts';
import { inferSlots } from '../../plans/infer.ts';
import type { Ledger } from '../choose/ledger.ts';
import type { Renewable } from '../choose/renewable.ts';
import { Turns } from '../turns/turns.ts';

/** Runs a frozen model forwards. Call it with any number of samples; they go through in batches. */
export interface Inference {
  /**
   * Outputs for `samples` (count x input size, f32, row-major): count x output size.
   * Any count is accepted; the last batch is padded. Throws 'busy' while a call is under way.
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
  programs: Renewable<Program>,
  quantizedSlot: string,
  onDispose: () => void,
  ledger: Ledger,
): Promise<Inference> {
  const plan = await programs.use(async (program) => program.plan);
  const input = plan.slots[inferSlots.input];
  const output = plan.slots[inferSlots.output];
  const runner = new Runner(programs, plan, ledger);
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
  private readonly programs: Renewable<Program>;
  private readonly plan: Plan;
  private readonly ledger: Ledger;
  private readonly input: Slot;
  private readonly sampleSize: number;
  private readonly padded: TypedArray;
  private busy = false;

  constructor(programs: Renewable<Program>, plan: Plan, ledger: Ledger) {
    this.programs = programs;
    this.plan = plan;
    this.ledger = ledger;
    this.input = plan.slots[inferSlots.input];
    this.sampleSize = sizeOf(this.input.shape.slice(1));
    this.padded = allocate(this.input.dtype, sizeOf(this.input.shape));
  }

  async run(samples: Float32Array, output: Slot, signal?: AbortSignal): Promise<TypedArray> {
    const count = this.check(samples);
    this.busy = true;
    try {
      const batch = this.input.shape[0];
      if (count === batch) return await this.through(samples, output);
      return await this.inBatches(samples, count, batch, output, signal);
    } finally {
      this.busy = false;
    }
  }

  /** One batch. A program that was made anew has the same plan, and so the same slots. */
  private async through(samples: TypedArray, output: Slot, into?: TypedArray): Promise<TypedArray> {
    const start = performance.now();
    const values = await this.programs.use((program) => {
      program.write(this.input, samples);
      program.run();
      return program.read(output, into);
    });
    this.ledger.note(this.programs.on.name, this.plan, performance.now() - start);
    return values;
  }

  private async inBatches(
    samples: Float32Array,
    count: number,
    batch: number,
    output: Slot,
    signal?: AbortSignal,
  ) {
    const rowSize = sizeOf(output.shape) / batch;
    const results = allocate(output.dtype, count * rowSize);
    const part = allocate(output.dtype, batch * rowSize);
    const turns = new Turns();
    for (let at = 0; at < count; at += batch) {
      if (signal?.aborted)
        fail('aborted', `inference was stopped after ${at} of ${count} samples`, { cause: signal.reason });
      const rows = Math.min(batch, count - at);
      const chunk = samples.subarray(at * this.sampleSize, (at + rows) * this.sampleSize);
      if (rows < batch) {
        this.padded.fill(0);
        this.padded.set(chunk);
      }
      await this.through(rows < batch ? this.padded : chunk, output, part);
      results.set(part.subarray(0, rows * rowSize), at * rowSize);
      await turns.breathe();
    }
    return results;
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
