import type { Backend, Program } from '../../backend/backend.ts';
import { allocate, type TypedArray } from '../../core/dtype.ts';
import { sizeOf } from '../../core/shape.ts';
import { type GrowingPlan, UnevenError } from '../../graph/growing.ts';
import type { Plan, Slot } from '../../graph/plan.ts';
import type { Arrays } from '../../model/signature.ts';
import { compileOn } from '../choose/compile.ts';

/**
 * A model compiled for any number of samples up to the most. One that does different things for different numbers of them
 * runs with the most, and fewer are filled up with zeros.
 */
export class AnyRows {
  /** For the most samples. */
  readonly plan: Plan;
  /** Whether it runs just the samples that there are. */
  readonly grows: boolean;
  private readonly program: Program;
  private readonly most: number;
  private readonly filledUp = new Map<Slot, TypedArray>();

  private constructor(program: Program, most: number, grows: boolean) {
    this.program = program;
    this.plan = program.plan;
    this.most = most;
    this.grows = grows;
  }

  /** Compiles it on a backend, for 1 to `source.most` samples. */
  static async compile(backend: Backend, source: GrowingPlan): Promise<AnyRows> {
    const { most } = source;
    try {
      return new AnyRows(await compileOn(backend, source), most, true);
    } catch (error) {
      if (!(error instanceof UnevenError)) throw error;
      return new AnyRows(await compileOn(backend, source.planOf(most)), most, false);
    }
  }

  /** Memory that it holds on its backend. */
  get bytes(): number {
    return this.program.bytes;
  }

  /** Runs `rows` samples: `inputs` are what they consist of, `outputs` take what comes of them, each by its slot's name. */
  async run(rows: number, inputs: Arrays, outputs: Arrays): Promise<void> {
    const { program } = this;
    const { slots } = this.plan;
    const whole = this.grows || rows === this.most;
    for (const name in inputs)
      program.write(slots[name], whole ? inputs[name] : this.fillUp(slots[name], inputs[name]));
    program.run(this.grows ? { rows } : undefined);
    for (const name in outputs) {
      if (whole) await program.read(slots[name], outputs[name]);
      else outputs[name].set((await program.read(slots[name])).subarray(0, outputs[name].length));
    }
  }

  dispose(): void {
    this.program.dispose();
  }

  private fillUp(slot: Slot, values: TypedArray): TypedArray {
    const all = this.filledUp.get(slot) ?? allocate(slot.dtype, sizeOf(slot.shape));
    this.filledUp.set(slot, all);
    all.set(values);
    return all.fill(0, values.length);
  }
}
