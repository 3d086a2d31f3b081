import type { Program } from '../../src/backend/backend.ts';
import { allocate, type TypedArray } from '../../src/core/dtype.ts';
import { BiphaseError } from '../../src/core/errors.ts';
import type { Plan, Role, Slot } from '../../src/graph/plan.ts';

const slot = (name: string, role: Role, dtype: Slot['dtype'] = 'f32', size = 1): Slot => ({
  ...{ name, role, dtype, shape: [size], offset: 0 },
});
const slots = Object.fromEntries(
  [
    slot('parameters', 'state'),
    slot('momentum', 'state'),
    slot('gradients', 'scratch'),
    slot('input', 'input'),
    slot('target', 'input'),
    slot('hyper', 'input', 'f32', 4),
    slot('seed', 'input', 'i32', 2),
    slot('loss', 'output'),
  ].map((s) => [s.name, s]),
);
const plan: Plan = {
  ...{ name: 'fake', arenaBytes: 64, steps: [], slots, constants: [] },
  memory: { persistentBytes: 0, temporaryBytes: 0, temporaryBytesWithoutReuse: 0 },
};

/** A program of one weight. What it computes depends on the order of its steps, their batches and their numbers. */
export class FakeProgram implements Program {
  readonly plan = plan;
  readonly plans = { main: plan };
  readonly bytes = plan.arenaBytes;
  readonly values = new Map(
    Object.values(slots).map(({ name, dtype, shape }) => [name, allocate(dtype, shape[0])]),
  );
  /** Numbers of the steps that it ran. */
  readonly ran: number[] = [];
  /** Told of every call before it; may throw. */
  readonly before: (what: string) => void;
  /** What a read of the loss waits for. */
  readonly late: () => Promise<void>;
  private gone: BiphaseError | undefined;

  constructor(before: (what: string) => void, late: () => Promise<void> = async () => {}) {
    this.before = before;
    this.late = late;
  }

  write(to: Slot, data: TypedArray): void {
    this.call(`write ${to.name}`);
    this.values.get(to.name)!.set(data);
  }

  run(): void {
    this.call('run');
    const of = (name: string) => this.values.get(name)!;
    this.ran.push(of('seed')[1] + 1);
    of('momentum')[0] = 0.9 * of('momentum')[0] + of('input')[0] * of('seed')[1];
    of('parameters')[0] = 0.7 * of('parameters')[0] - of('hyper')[0] * of('momentum')[0];
    of('loss')[0] = of('parameters')[0] - of('target')[0];
  }

  async read(from: Slot, into?: TypedArray): Promise<TypedArray> {
    this.call(`read ${from.name}`);
    const values = this.values.get(from.name)!.slice();
    if (from.name === 'loss') await this.late();
    if (this.gone) throw this.gone;
    if (!into) return values;
    into.set(values);
    return into;
  }

  dispose(): void {
    this.gone = new BiphaseError('disposed', 'this program is gone');
  }

  private call(what: string): void {
    if (this.gone) throw this.gone;
    this.before(what);
  }
}
