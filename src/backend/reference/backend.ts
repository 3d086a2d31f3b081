import { allocate, type NumberArray, type TypedArray, viewOf } from '../../core/dtype.ts';
import { fail } from '../../core/errors.ts';
import { sizeOf } from '../../core/shape.ts';
import type { Plan, Section, Slot, TensorRef } from '../../graph/plan.ts';
import { opOf } from '../../ops/index.ts';
import type { Value } from '../../ops/op.ts';
import type { Backend, Program } from '../backend.ts';
import { checkSlot, checkSlotArray, ENGINE_DISPOSED } from '../program.ts';

export interface ReferenceOptions {
  /** 'f64' computes f32 tensors in double precision, for checking gradients. Values are still written and read as f32. */
  readonly precision?: 'f32' | 'f64';
}

interface Call {
  readonly section: Section;
  readonly run: () => void;
}

/** Runs each op's reference in plain TypeScript: the oracle that every other backend is judged by. */
export class ReferenceBackend implements Backend {
  readonly name = 'reference';
  readonly build = 'typescript';
  readonly threads = 1;
  readonly description = 'plain TypeScript with f64 sums; slow, the oracle for the others';
  allocatedBytes = 0;
  private readonly precision: 'f32' | 'f64';
  private disposed = false;

  constructor(options: ReferenceOptions = {}) {
    this.precision = options.precision ?? 'f32';
  }

  supports(): true {
    return true;
  }

  async compile(plan: Plan): Promise<Program> {
    if (this.disposed) fail('disposed', ENGINE_DISPOSED);
    const account = (bytes: number) => {
      this.allocatedBytes += bytes;
    };
    return new ReferenceProgram(plan, this.precision, account, () => this.disposed);
  }

  dispose(): void {
    this.disposed = true;
  }
}

class ReferenceProgram implements Program {
  readonly plan: Plan;
  private readonly wide: boolean;
  private readonly account: (bytes: number) => void;
  private readonly closed: () => boolean;
  private arena: ArrayBuffer | undefined;
  private calls: Call[];

  constructor(plan: Plan, precision: 'f32' | 'f64', account: (bytes: number) => void, closed: () => boolean) {
    this.closed = closed;
    this.plan = plan;
    this.wide = precision === 'f64';
    this.account = account;
    this.arena = new ArrayBuffer(plan.arenaBytes * (this.wide ? 2 : 1));
    account(this.arena.byteLength);
    for (const c of plan.constants) this.view(c).set(c.data);
    this.calls = plan.steps.map(({ op, attrs, inputs, outputs, section }) => {
      const [given, made] = [inputs, outputs].map((tensors) => tensors.map((t) => this.value(t)));
      const { reference } = opOf(op);
      return { section, run: () => reference(given, made, attrs) };
    });
  }

  write(slot: Slot, data: TypedArray): void {
    this.alive();
    checkSlotArray(this.plan, slot, data, 'write');
    this.view(slot).set(data);
  }

  run(section?: Section): void {
    this.alive();
    for (const call of this.calls) if (section === undefined || call.section === section) call.run();
  }

  async read(slot: Slot, into?: TypedArray): Promise<TypedArray> {
    this.alive();
    if (into) checkSlotArray(this.plan, slot, into, 'read into');
    else checkSlot(this.plan, slot);
    const target = into ?? allocate(slot.dtype, sizeOf(slot.shape));
    target.set(this.view(slot));
    return target;
  }

  dispose(): void {
    if (!this.arena) return;
    this.account(-this.arena.byteLength);
    this.arena = undefined;
    this.calls = [];
  }

  /** Values of a slot in the precision computed in: Float64Array for f32 where precision is 'f64'. */
  view(t: TensorRef): NumberArray {
    const { arena } = this.alive();
    const length = sizeOf(t.shape);
    if (!this.wide) return viewOf(t.dtype, arena, t.offset, length);
    // Twice the room for everything keeps f64 tensors from touching their neighbours.
    return t.dtype === 'f32'
      ? new Float64Array(arena, t.offset * 2, length)
      : viewOf(t.dtype, arena, t.offset * 2, length);
  }

  private value(t: TensorRef): Value {
    return { dtype: t.dtype, shape: t.shape, data: this.view(t) };
  }

  private alive(): { arena: ArrayBuffer } {
    if (this.closed()) fail('disposed', ENGINE_DISPOSED);
    const { arena } = this;
    return arena ? { arena } : fail('disposed', `${this.plan.name}: this program was disposed`);
  }
}
