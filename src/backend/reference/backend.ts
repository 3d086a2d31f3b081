import { type NumberArray, type TypedArray, viewOf } from '../../core/dtype.ts';
import { fail } from '../../core/errors.ts';
import { sizeOf } from '../../core/shape.ts';
import type { Plan, Section, Slot, TensorRef } from '../../graph/plan.ts';
import { opOf } from '../../ops/index.ts';
import type { Value } from '../../ops/op.ts';
import type { Backend, Program, Run, Source } from '../backend.ts';
import { type LaidOutEntry, Layout, sectionOf } from '../entries.ts';
import { ENGINE_DISPOSED } from '../program.ts';

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

  async compile(source: Source): Promise<Program> {
    if (this.disposed) fail('disposed', ENGINE_DISPOSED);
    const account = (bytes: number) => {
      this.allocatedBytes += bytes;
    };
    return new ReferenceProgram(new Layout(source), this.precision, account, () => this.disposed);
  }

  dispose(): void {
    this.disposed = true;
  }
}

class ReferenceProgram implements Program {
  readonly plan: Plan;
  readonly plans: Program['plans'];
  readonly bytes: number;
  private readonly layout: Layout;
  private readonly wide: boolean;
  private readonly account: (bytes: number) => void;
  private readonly closed: () => boolean;
  private arena: ArrayBuffer | undefined;
  /** Of each entry's plan that ran last. */
  private readonly calls = new Map<LaidOutEntry, { rows: number; calls: readonly Call[] }>();

  constructor(
    layout: Layout,
    precision: 'f32' | 'f64',
    account: (bytes: number) => void,
    closed: () => boolean,
  ) {
    this.closed = closed;
    this.layout = layout;
    this.plan = layout.first.plan;
    this.plans = layout.plans;
    this.wide = precision === 'f64';
    this.account = account;
    this.bytes = layout.arenaBytes * (this.wide ? 2 : 1);
    this.arena = new ArrayBuffer(this.bytes);
    account(this.bytes);
    for (const c of layout.constants) this.view(c).set(c.data);
    // Whoever can't run other numbers of rows says so now.
    for (const entry of layout.entries)
      for (const rows of [entry.least, Math.min(entry.least + 1, entry.most)]) entry.at(rows);
  }

  write(slot: Slot, data: TypedArray): void {
    this.alive();
    this.layout.checkArray(slot, data, 'write');
    this.view(slot).set(data);
  }

  run(what?: Section | Run): void {
    this.alive();
    const entry = this.layout.entryOf(what);
    const section = sectionOf(what);
    for (const call of this.callsOf(entry)) if (section === undefined || call.section === section) call.run();
  }

  async read(slot: Slot, into?: TypedArray): Promise<TypedArray> {
    this.alive();
    if (into) this.layout.checkArray(slot, into, 'read into');
    const target = into ?? this.layout.arrayFor(slot);
    target.set(this.view(slot).subarray(0, target.length));
    return target;
  }

  dispose(): void {
    if (!this.arena) return;
    this.account(-this.bytes);
    this.arena = undefined;
    this.calls.clear();
  }

  private callsOf(entry: LaidOutEntry): readonly Call[] {
    const { rows } = entry;
    const known = this.calls.get(entry);
    if (known?.rows === rows) return known.calls;
    const calls = entry.at(rows).steps.map(({ op, attrs, inputs, outputs, section }) => {
      const [given, made] = [inputs, outputs].map((tensors) => tensors.map((t) => this.value(t)));
      const { reference } = opOf(op);
      return { section, run: () => reference(given, made, attrs) };
    });
    this.calls.set(entry, { rows, calls });
    return calls;
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
