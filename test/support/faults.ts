import type { Backend, Program, Run } from '../../src/backend/backend.ts';
import { sectionOf } from '../../src/backend/entries.ts';
import type { TypedArray } from '../../src/core/dtype.ts';
import { BiphaseError, type ErrorCode } from '../../src/core/errors.ts';
import { type Section, sections } from '../../src/graph/plan.ts';
import type { Provider } from '../../src/scheduler/choose/choose.ts';

/** What breaks, and how much of the operation it breaks in is done before. */
export interface Fault {
  readonly code: ErrorCode;
  /** From 0, nothing, to 1, all of it: sections of a run, elements of a read. */
  readonly after: number;
  /** The call returns as if all were well, and what comes after it fails: a run that is not waited for. */
  readonly late: boolean;
}

/** Counts the operations of all backends that share it, and breaks those that are planned. */
export class FaultPlan {
  operations = 0;
  /** What was going on at each fault that struck, for the tests to see that all kinds were. */
  readonly struck: string[] = [];
  private readonly planned: Map<number, Fault>;

  constructor(planned: ReadonlyMap<number, Fault> = new Map()) {
    this.planned = new Map(planned);
  }

  /** The next operation breaks. */
  breakNext(fault: Fault): void {
    this.planned.set(this.operations, fault);
  }

  next(what: string): Fault | undefined {
    const fault = this.planned.get(this.operations++);
    if (fault) this.struck.push(what);
    return fault;
  }
}

/** Backends that really compute, on `create`'s, and break as planned; each new one is whole. */
export function faultyProvider(
  plan: FaultPlan,
  name: Provider['name'],
  create: () => Promise<Backend>,
): Provider {
  return {
    name,
    probe: async () => ({ available: true, description: 'breaks as planned' }),
    create: async () => new FaultyBackend(await create(), plan, name),
  };
}

class FaultyBackend implements Backend {
  readonly name: string;
  readonly inner: Backend;
  readonly plan: FaultPlan;
  dead: BiphaseError | undefined;

  constructor(inner: Backend, plan: FaultPlan, name: string) {
    this.inner = inner;
    this.plan = plan;
    this.name = name;
  }

  get description() {
    return this.inner.description;
  }
  get build() {
    return this.inner.build;
  }
  get threads() {
    return this.inner.threads;
  }
  get allocatedBytes() {
    return this.inner.allocatedBytes;
  }
  supports(step: Parameters<Backend['supports']>[0]) {
    return this.inner.supports(step);
  }

  async compile(plan: Parameters<Backend['compile']>[0]): Promise<Program> {
    this.check();
    const fault = this.plan.next('compile');
    if (fault) throw this.broken(fault);
    return new FaultyProgram(await this.inner.compile(plan), this);
  }

  dispose(): void {
    this.inner.dispose();
  }

  check(): void {
    if (this.dead) throw this.dead;
  }

  /** The error; of a lost device it stays. */
  broken({ code }: Fault): BiphaseError {
    const error = new BiphaseError(code, `${code}, as planned`);
    if (code === 'device_lost') this.dead = error;
    return error;
  }
}

class FaultyProgram implements Program {
  private readonly inner: Program;
  private readonly backend: FaultyBackend;
  private dead: BiphaseError | undefined;

  constructor(inner: Program, backend: FaultyBackend) {
    this.inner = inner;
    this.backend = backend;
  }

  get plan() {
    return this.inner.plan;
  }
  get plans() {
    return this.inner.plans;
  }
  get bytes() {
    return this.inner.bytes;
  }

  write(slot: Parameters<Program['write']>[0], data: TypedArray): void {
    this.check();
    const fault = this.backend.plan.next(slot.role === 'state' ? 'restoring' : 'writing a batch');
    if (!fault || fault.after > 0.5) this.inner.write(slot, data);
    if (fault) this.fail(fault);
  }

  run(what?: Section | Run): void {
    this.check();
    const fault = this.backend.plan.next('mid-step');
    if (!fault) {
      this.inner.run(what);
      return;
    }
    const section = sectionOf(what);
    const wanted = section ? [section] : sections;
    const run = typeof what === 'object' ? what : {};
    for (const section of wanted.slice(0, Math.round(fault.after * wanted.length)))
      this.inner.run({ ...run, section });
    this.fail(fault);
  }

  async read(slot: Parameters<Program['read']>[0], into?: TypedArray): Promise<TypedArray> {
    this.check();
    const fault = this.backend.plan.next(slot.role === 'state' ? 'snapshot' : 'readback');
    // A device answers later, and may be lost meanwhile.
    await Promise.resolve();
    this.check();
    if (!fault) return this.inner.read(slot, into);
    if (into) into.fill(Number.NaN, 0, Math.round(fault.after * into.length));
    throw this.broken(fault);
  }

  dispose(): void {
    this.inner.dispose();
  }

  private check(): void {
    this.backend.check();
    if (this.dead) throw this.dead;
  }

  private broken(fault: Fault): BiphaseError {
    this.dead = this.backend.broken(fault);
    return this.dead;
  }

  private fail(fault: Fault): void {
    const error = this.broken(fault);
    if (!fault.late) throw error;
  }
}
