import { fail } from '../../core/errors.ts';
import type { TapeRecord } from '../../generated/records.ts';
import { UnevenError } from '../../graph/growing.ts';
import type { Plan, Section } from '../../graph/plan.ts';
import type { LaidOutEntry } from '../entries.ts';
import { type ExtraMemory, readerOf } from '../extra-memory.ts';
import { kernelOf } from './kernels/index.ts';
import { encode, type Place, sectionRanges } from './tape.ts';
import type { Tiles } from './tiles.ts';

/** Where a program keeps things; addresses of the plan for the most rows serve all numbers of them. */
export interface TapePlace extends Tiles {
  readonly address: (offset: number) => number;
  readonly scratch: number;
  readonly scratchPerThread: number;
}

/** Tells where the records of a tape lie that belong to a section. */
export type Ranges = ReadonlyMap<Section | 'all', readonly [from: number, to: number]>;

/** A tape written for 0 rows, and which of its words grow with them: pairs of (byte offset, step). */
export interface GrowingTape {
  readonly words: Uint32Array;
  readonly patches: Uint32Array;
  readonly ranges: Ranges;
}

export interface Tapes {
  /** Records that run once, when a program is made. */
  readonly once: readonly TapeRecord[];
  /** For one row; for two and more, where there may be so many. */
  readonly single: GrowingTape;
  readonly many: GrowingTape;
  readonly opcodes: ReadonlySet<number>;
  /** An op that packs weights at every run, because they are not constant; undefined where none does. */
  readonly repacks: string | undefined;
}

interface Encoded {
  readonly once: readonly TapeRecord[];
  readonly words: Uint32Array;
  readonly ranges: Ranges;
  readonly opcodes: ReadonlySet<number>;
  readonly repacks: string | undefined;
}

/**
 * The tapes of an entry. Every word of a record is either the same for any number of rows, or grows evenly with it (a count,
 * a number of rows): two tapes tell which, others check it. A single row has a tape of its own, since kernels treat it apart.
 */
export function growingTapes(entry: LaidOutEntry, place: TapePlace, extra: ExtraMemory): Tapes {
  const { least, most, plan } = entry;
  const at = (rows: number) => encodePlan(entry.at(rows), entry.name, place, extra);
  const from = Math.max(least, Math.min(2, most));
  const first = at(from);
  const one = least === from ? first : at(least);
  const grown = from === most ? undefined : at(from + 1);
  const many = grown ? grow(first, grown, from, plan.name) : still(first);
  for (const rows of new Set([from + 2, most - 1, most]))
    if (rows > from + 1 && rows <= most) checkGrowth(many, at(rows).words, rows, plan.name);
  // One row may need other packed weights than many do: whatever any tape needs is made once.
  const encoded = [one, first, grown ?? first];
  const once = new Map(encoded.flatMap((e) => e.once).map((r) => [JSON.stringify(r), r]));
  return {
    once: [...once.values()],
    single: still(one),
    many,
    opcodes: new Set(encoded.flatMap((e) => [...e.opcodes])),
    repacks: encoded.find((e) => e.repacks)?.repacks,
  };
}

const still = ({ words, ranges }: Encoded): GrowingTape => ({ words, ranges, patches: new Uint32Array(0) });

function grow(few: Encoded, more: Encoded, rows: number, name: string): GrowingTape {
  if (few.words.length !== more.words.length) throw uneven(name, rows + 1);
  const patches: number[] = [];
  const words = few.words.map((word, i) => {
    const step = (more.words[i] - word) | 0;
    if (step !== 0) patches.push(i * 4, step);
    return word - rows * step;
  });
  return { words, patches: Uint32Array.from(patches), ranges: few.ranges };
}

function checkGrowth({ words, patches }: GrowingTape, want: Uint32Array, rows: number, name: string): void {
  const got = words.slice();
  for (let p = 0; p < patches.length; p += 2) got[patches[p] / 4] += patches[p + 1] * rows;
  if (got.length !== want.length || got.some((word, i) => word !== want[i])) throw uneven(name, rows);
}

const uneven = (name: string, rows: number): UnevenError =>
  new UnevenError(name, `what the model does does not grow evenly with the number of rows (at ${rows})`);

/** Records of a plan. */
function encodePlan(plan: Plan, entry: string, place: TapePlace, memory: ExtraMemory): Encoded {
  const once: TapeRecord[] = [];
  const main: TapeRecord[] = [];
  const lengths: { section: Section; words: number }[] = [];
  let repacks: string | undefined;
  plan.steps.forEach((step, i) => {
    const kernel = kernelOf(step.op);
    if ('reason' in kernel) fail('unsupported', `${plan.name}: ${step.op}: ${kernel.reason}`);
    const reader = readerOf(step, `${entry} ${i}`);
    let requests = 0;
    const extra = (bytes: number) => memory.take(`${reader} ${requests++}`, bytes);
    let loans = 0;
    const lend = (bytes: number) => memory.take(`lent ${loans++}`, bytes);
    const full: Place = { ...place, address: (t) => place.address(t.offset), extra, lend };
    const records = kernel.encode(step, full);
    if (requests > records.filter((r) => r.once).length) repacks ??= step.op;
    for (const record of records) {
      if (record.once) once.push(record);
      else {
        main.push(record);
        lengths.push({ section: step.section, words: record.words.length + 2 });
      }
    }
  });
  const opcodes = new Set([...once, ...main].map((r) => r.opcode));
  return { once, words: encode(main), ranges: sectionRanges(lengths), opcodes, repacks };
}
