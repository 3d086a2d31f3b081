/** The records that assembly/records.ts declares, with the names they go by, once they were found to be sound. */
import { type Kind, kinds } from '../../assembly/kinds.ts';
import { type RecordType, records, type Tier, tiers, type WordType } from '../../assembly/records.ts';

export interface NamedRecord extends RecordType {
  /** Of the kernel and the encoder. */
  readonly name: string;
  /** Of the class that the kernel reads. */
  readonly type: string;
  /** In docs/ABI.md. */
  readonly title: string;
  /** The file of assembly/ that has the kernel. */
  readonly file: string;
}

export const capital = (name: string): string => name[0].toUpperCase() + name.slice(1);

/** The word that says how long a list is; undefined for what is none. */
export const lengthOf = (type: WordType): string | undefined => /^i32\[(\w+)\]$/.exec(type)?.[1];
export const isKind = (type: WordType): type is Kind => Object.hasOwn(kinds, type);

/**
 * Records in the order in which they are declared. Those that share their words share a class, named after the first. Throws an
 * Error for two records of one number or name, and for lists whose length or place can't be known.
 */
export function named(declared: typeof records): NamedRecord[] {
  const types = new Map<RecordType['words'], string>();
  const all = Object.entries(declared).flatMap(([file, ofFile]) =>
    Object.entries(ofFile).map(([name, record]) => {
      const type = types.get(record.words) ?? `${capital(name)}Record`;
      types.set(record.words, type);
      return { ...record, name, file, type, title: name.replace(/[A-Z]/g, '_$&').toUpperCase() };
    }),
  );
  all.forEach((record, i) => {
    for (const other of all.slice(0, i)) {
      if (other.opcode === record.opcode)
        throw new Error(`records ${other.name} and ${record.name} both have opcode ${record.opcode}`);
      if (other.name === record.name)
        throw new Error(`${other.file} and ${record.file} both have a record ${record.name}`);
    }
    checkLists(record);
  });
  return all;
}

function checkLists({ name, words }: NamedRecord): void {
  let list: string | undefined;
  for (const [word, type] of Object.entries(words)) {
    const length = lengthOf(type);
    if (length && words[length] !== 'i32')
      throw new Error(`${name}.${word} is as long as ${length} says, but ${name} has no such word`);
    if (list && !length)
      throw new Error(`${name}.${word} stands after ${list}, whose length varies; put it before`);
    if (length) list = word;
  }
}

export const namedRecords: readonly NamedRecord[] = named(records);

/** The records that a tier's modules carry. */
export const recordsOf = (tier: Tier): NamedRecord[] =>
  namedRecords.filter((r) => tiers.indexOf(r.tier) <= tiers.indexOf(tier));
