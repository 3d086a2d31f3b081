import { expectArray } from '../core/arrays.ts';
import { allocate, type TypedArray } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { sizeOf } from '../core/shape.ts';
import { type GrowingPlan, isGrowing, placedAs, rowSizes, rowsOf, UnevenError } from '../graph/growing.ts';
import type { Constant, Plan, Section, Slot } from '../graph/plan.ts';
import type { Entry, Run, Source } from './backend.ts';
import { checkSlot, checkSlotArray } from './program.ts';
import { sharedPlaces } from './shared-places.ts';

/** Plans that are kept, for those who ask for the same numbers of rows again while a program is made. */
const MOST_KEPT = 8;

/** One entry of a program, its tensors at places that all entries and all numbers of rows agree on. */
export class LaidOutEntry {
  readonly name: string;
  /** For the most rows. */
  readonly plan: Plan;
  readonly least: number;
  readonly most: number;
  /** Whether runs are told how many rows there are. */
  readonly grows: boolean;
  /** Rows of its last run. */
  rows: number;
  private readonly planOf: (rows: number) => Plan;
  private readonly kept = new Map<number, Plan>();
  private readonly sizes: ReadonlyMap<string, number>;

  constructor(name: string, entry: Entry, widest: Plan, move: (plan: Plan) => Plan) {
    this.name = name;
    this.grows = isGrowing(entry);
    const { least, most } = isGrowing(entry) ? rowsOf(entry) : { least: 1, most: 1 };
    this.least = least;
    this.most = most;
    this.rows = most;
    this.planOf = (rows) => move(placedAs(planFor(entry as GrowingPlan, rows, widest.name), widest, rows));
    this.plan = move(widest);
    this.kept.set(most, this.plan);
    this.sizes = least === most ? new Map() : rowSizes(this.plan, most, this.at(least), least);
  }

  /** The plan for so many rows. Throws UnevenError where it does something else than for others. */
  at(rows: number): Plan {
    const known = this.kept.get(rows);
    if (known) return known;
    const plan = this.planOf(rows);
    if (this.kept.size >= MOST_KEPT) this.kept.delete([...this.kept.keys()][1]);
    this.kept.set(rows, plan);
    return plan;
  }

  /** Checks how many rows a run asks for, and remembers them. */
  begin(rows: number | undefined): number {
    if (rows !== undefined) this.check(rows);
    this.rows = rows ?? this.most;
    return this.rows;
  }

  /** Elements that a slot has for one row; 0 where it does not grow. */
  rowSize(slot: Slot): number {
    return this.sizes.get(slot.name) ?? 0;
  }

  private check(rows: number): void {
    const { plan, least, most, grows } = this;
    if (!grows)
      fail(
        'invalid_argument',
        `${plan.name}: was compiled for one number of rows, and was asked for ${rows}`,
      );
    if (!Number.isInteger(rows) || rows < least || rows > most)
      fail('out_of_range', `${plan.name}: ${rows} rows, expected a whole number from ${least} to ${most}`);
  }
}

/** The entries of a program over one arena: | states and constants of all | the rest, as large as the largest entry's | */
export class Layout {
  readonly entries: readonly LaidOutEntry[];
  /** What is written into the arena once. */
  readonly constants: readonly Constant[];
  readonly persistentBytes: number;
  readonly arenaBytes: number;
  readonly plans: Readonly<Record<string, Plan>>;
  private readonly moved = new Map<Slot, Slot>();

  /** `rearrange`: what a backend changes about places once those of all entries are known. */
  constructor(
    source: Source,
    rearrange?: (plans: readonly Plan[], constants: readonly Constant[]) => (plan: Plan) => Plan,
  ) {
    const named = isEntry(source) ? { main: source } : source;
    const names = Object.keys(named);
    if (names.length === 0) fail('invalid_argument', 'a program needs at least one entry');
    const widest = names.map((name) => widestOf(named[name]));
    const places = names.length === 1 ? undefined : sharedPlaces(widest);
    const move = (plan: Plan, i: number) => places?.moves[i](plan) ?? plan;
    const constants = places?.constants ?? widest[0].constants;
    const again = rearrange?.(widest.map(move), constants) ?? ((plan: Plan) => plan);
    this.entries = names.map(
      (name, i) => new LaidOutEntry(name, named[name], widest[i], (plan) => again(move(plan, i))),
    );
    const [first] = this.entries;
    // Slots of a lone plan are good for its program, also where a backend has rearranged it.
    if (rearrange && names.length === 1)
      for (const slot of Object.values(widest[0].slots)) this.moved.set(slot, first.plan.slots[slot.name]);
    this.plans = Object.fromEntries(this.entries.map((e) => [e.name, e.plan]));
    this.constants = again({ ...move(widest[0], 0), constants }).constants;
    this.persistentBytes = first.plan.memory.persistentBytes;
    this.arenaBytes = Math.max(...this.entries.map((e) => e.plan.arenaBytes));
  }

  /** The first entry, which names the program. */
  get first(): LaidOutEntry {
    return this.entries[0];
  }

  /** What a run asks for; its rows are checked and remembered. */
  entryOf(what: Section | Run | undefined): LaidOutEntry {
    const run = typeof what === 'object' ? what : undefined;
    const { entry } = run ?? {};
    const found = entry === undefined ? this.first : this.entries.find((e) => e.name === entry);
    if (!found)
      return fail(
        'invalid_argument',
        `there is no entry '${entry}', only ${this.entries.map((e) => e.name)}`,
      );
    found.begin(run?.rows);
    return found;
  }

  /** Checks a slot, and an array against it: its elements must be all that the slot has, or whole rows where it grows. */
  checkArray(given: Slot, data: TypedArray, verb: 'write' | 'read into'): void {
    const entry = this.ownerOf(given);
    const slot = this.slotOf(given);
    const [row, all] = [entry.rowSize(slot), sizeOf(slot.shape)];
    if (row === 0) {
      checkSlotArray(entry.plan, slot, data, verb);
      return;
    }
    const what = `${entry.plan.name}: can't ${verb} '${slot.name}'`;
    expectArray(what, data, slot.dtype);
    if (data.length % row !== 0 || data.length < row || data.length > all)
      fail(
        'shape_mismatch',
        `${what}: got ${data.length} elements, expected ${row} for each of 1 to ${entry.most} rows`,
      );
  }

  /** An array for what read() gives of a slot: all of it, or the rows of the last run. */
  arrayFor(slot: Slot): TypedArray {
    const entry = this.ownerOf(slot);
    const row = entry.rowSize(slot);
    return allocate(slot.dtype, row === 0 ? sizeOf(slot.shape) : row * entry.rows);
  }

  /** A slot where it lies in this program. Throws unless it is one of the plans'. */
  slotOf(slot: Slot): Slot {
    this.ownerOf(slot);
    return this.moved.get(slot) ?? slot;
  }

  private ownerOf(given: Slot): LaidOutEntry {
    const slot = this.moved.get(given) ?? given;
    const owner = this.entries.find((entry) => entry.plan.slots[slot?.name] === slot);
    if (!owner) checkSlot(this.first.plan, given);
    return owner ?? this.first;
  }
}

/** A plan for other rows than the most. A model that refuses them (a batch size is written into it) has none. */
function planFor({ planOf }: GrowingPlan, rows: number, name: string): Plan {
  try {
    return planOf(rows);
  } catch (error) {
    throw new UnevenError(name, `with ${rows} rows there is no plan (${(error as Error)?.message})`, {
      cause: error,
    });
  }
}

const isEntry = (source: Source): source is Entry => 'steps' in source || 'planOf' in source;

const widestOf = (entry: Entry): Plan => (isGrowing(entry) ? entry.planOf(entry.most) : entry);

/** Each entry of a source, for those who look at all of its plans before it is compiled. */
export const widestPlans = (source: Source): Plan[] =>
  (isEntry(source) ? [source] : Object.values(source)).map(widestOf);

/** The section that is asked for; all of them if undefined. */
export const sectionOf = (what: Section | Run | undefined): Section | undefined =>
  typeof what === 'string' ? what : what?.section;
