/** What assembly/records.ts declares, as the code that reads it, runs it and writes it. */
import {
  type Kind,
  kinds,
  type RecordType,
  records,
  type Tier,
  tiers,
  type WordType,
} from '../../assembly/records.ts';

/** A record with its names: of the kernel and the encoder, of the class that the kernel reads, and of docs/ABI.md. */
export interface NamedRecord extends RecordType {
  readonly name: string;
  readonly type: string;
  readonly title: string;
  /** The file of assembly/ that has the kernel. */
  readonly file: string;
}

const MADE = '// Made by tools/build/generate-records.ts from assembly/records.ts. Do not edit.\n';
const capital = (name: string): string => name[0].toUpperCase() + name.slice(1);

/** All records, in the order in which they are declared. Those that share their words share a class, named after the first. */
export const namedRecords: readonly NamedRecord[] = nameAll();

function nameAll(): NamedRecord[] {
  const types = new Map<RecordType['words'], string>();
  return Object.entries(records).flatMap(([file, ofFile]) =>
    Object.entries(ofFile).map(([name, record]) => {
      const type = types.get(record.words) ?? `${capital(name)}Record`;
      types.set(record.words, type);
      return { ...record, name, file, type, title: name.replace(/[A-Z]/g, '_$&').toUpperCase() };
    }),
  );
}

/** The records that a tier's modules carry. */
export const recordsOf = (tier: Tier): NamedRecord[] =>
  namedRecords.filter((r) => tiers.indexOf(r.tier) <= tiers.indexOf(tier));

/** The word that says how long a list is. */
const lengthOf = (type: WordType): string | undefined => /^i32\[(\w+)\]$/.exec(type)?.[1];
const isKind = (type: WordType): type is Kind => Object.hasOwn(kinds, type);

function check(all: readonly NamedRecord[]): void {
  const opcodes = new Map<number, string>();
  for (const { name, opcode, words } of all) {
    const known = opcodes.get(opcode);
    if (known) throw new Error(`assembly/records.ts: ${known} and ${name} both have opcode ${opcode}`);
    opcodes.set(opcode, name);
    let listed: string | undefined;
    for (const [word, type] of Object.entries(words)) {
      const length = lengthOf(type);
      if (length && words[length] !== 'i32')
        throw new Error(
          `assembly/records.ts: ${name}.${word} is as long as ${length}, which is no word of it`,
        );
      if (listed && !length)
        throw new Error(
          `assembly/records.ts: ${name}.${word} stands after the list ${listed}; put it before`,
        );
      if (length) listed = word;
    }
  }
}

check(namedRecords);

/** Classes that lie over a record, so that `r.count` is one load with a fixed offset, and the kinds by name. */
export function assemblyRecords(): string {
  const enums = Object.entries(kinds).map(([kind, { values }]) => {
    const members = Object.entries(values).map(([name, value]) => `  ${name.toUpperCase()} = ${value},\n`);
    return `export const enum ${capital(kind)} {\n${members.join('')}}\n`;
  });
  const classes = namedRecords.filter((r, i) => namedRecords.findIndex((s) => s.type === r.type) === i);
  return MADE + [...enums, ...classes.map(classOf)].join('\n');
}

function classOf({ type, words }: NamedRecord): string {
  const all = Object.entries(words);
  const fixed = all.filter(([, type]) => !lengthOf(type));
  const fields = fixed.map(([word, type]) => `  ${word}: ${fieldType(type)};\n`);
  const lists = all.slice(fixed.length).map(([word, type], i) => {
    const before = i ? ` + ${i * 4} * <usize>this.${lengthOf(type)}` : '';
    return `  /** Where they begin. */\n  @inline get ${word}(): usize { return changetype<usize>(this) + ${fixed.length * 4}${before}; }\n`;
  });
  return `@unmanaged\nexport class ${type} {\n${[...fields, ...lists].join('')}}\n`;
}

function fieldType(type: WordType): string {
  if (type === 'at' || type === 'at?') return 'usize';
  return type === 'f32' || type === 'u32' ? type : 'i32';
}

/**
 * `step`, which runs one record of a tier, and traps where there is no such record. Frozen modules are one thread's; there each
 * record has a function of its own, by which frozen-parts.ts finds out what it needs.
 */
export function assemblyDispatch(tier: Tier): string {
  const carried = recordsOf(tier);
  const engine = tier === 'engine';
  const imports = Object.keys(records).flatMap((file) => {
    const names = carried.filter((r) => r.file === file).map((r) => r.name);
    return names.length ? [`import { ${names.join(', ')} } from '../${file}';\n`] : [];
  });
  const run = ({ name, type }: NamedRecord) =>
    `${name}(changetype<${type}>(r), ${engine ? 'thread, threads' : '0, 1'})`;
  const own = (r: NamedRecord) => `${OWN}${r.opcode}(r)`;
  const cases = carried.map((r) => `    case ${r.opcode}: return ${engine ? run(r) : own(r)};\n`);
  const functions = carried.map(
    (r) => `export function ${OWN}${r.opcode}(r: usize): void {\n  ${run(r)};\n}\n\n`,
  );
  return [
    MADE,
    ...imports,
    `import { ${[...new Set(carried.map((r) => r.type))].join(', ')} } from './records';\n\n`,
    ...(engine ? [] : functions),
    `/** Runs the record at r, behind its opcode and length. */\n`,
    `export function step(opcode: u32, r: usize${engine ? ', thread: i32, threads: i32' : ''}): void {\n`,
    '  switch (opcode) {\n',
    ...cases,
    '    default: unreachable();\n  }\n}\n',
  ].join('');
}

/** What the functions of single records are named, before their opcode. */
export const OWN = 'record_';

const TAPE_RECORD = `/** A word of a record: an unsigned or signed integer, or a float. */
export type Word = number | { readonly f32: number };

export interface TapeRecord {
  readonly opcode: number;
  readonly words: readonly Word[];
  /** Runs once, when the program is made, instead of at every run. */
  readonly once?: boolean;
}

const float = (value: number): Word => ({ f32: value });

`;

/** Functions that write records, and the numbers of the kinds. */
export function encoders(): string {
  const numbers = Object.entries(kinds).map(
    ([kind, { values }]) => `  ${kind}: ${JSON.stringify(values)},\n`,
  );
  return [
    MADE,
    TAPE_RECORD,
    `export const kinds = {\n${numbers.join('')}} as const;\n\n`,
    ...Object.keys(kinds).map((k) => `export type ${capital(k)} = keyof typeof kinds.${k};\n`),
    ...namedRecords.map(encoderOf),
  ].join('');
}

function encoderOf({ name, opcode, words, title }: NamedRecord): string {
  const all = Object.entries(words);
  // A list brings its length with it.
  const lengths = new Map<string, string>();
  for (const [word, type] of all) {
    const length = lengthOf(type);
    if (length && !lengths.has(length)) lengths.set(length, word);
  }
  const given = all.filter(([word]) => !lengths.has(word));
  const operands = given.map(([word, type]) => `${word}${type === 'at?' ? '?' : ''}: ${operandType(type)}`);
  const values = all.map(([word, type]) =>
    lengths.has(word) ? `w.${lengths.get(word)}.length` : wordOf(`w.${word}`, type),
  );
  return `\n/** ${title} */\nexport const ${name} = (w: { ${operands.join('; ')} }): TapeRecord => ({ opcode: ${opcode}, words: [${values.join(', ')}] });\n`;
}

function operandType(type: WordType): string {
  if (isKind(type)) return capital(type);
  if (lengthOf(type)) return 'readonly number[]';
  return type === 'flag' ? 'boolean' : 'number';
}

function wordOf(value: string, type: WordType): string {
  if (isKind(type)) return `kinds.${type}[${value}]`;
  if (lengthOf(type)) return `...${value}`;
  if (type === 'f32') return `float(${value})`;
  if (type === 'flag') return `Number(${value})`;
  return type === 'at?' ? `${value} ?? 0` : value;
}
