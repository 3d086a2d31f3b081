/** What assembly/records.ts declares, as the code that reads it, runs it and writes it. */
import { kinds } from '../../assembly/kinds.ts';
import { records, type Tier, type WordType } from '../../assembly/records.ts';
import { capital, isKind, lengthOf, type NamedRecord, namedRecords, recordsOf } from './named-records.ts';

const MADE = '// Made by tools/build/generate-records.ts from assembly/records.ts. Do not edit.\n';

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
  const lists = all.slice(fixed.length).map(([word], i, lists) => {
    const before = lists.slice(0, i).map(([, type]) => ` + 4 * <usize>this.${lengthOf(type)}`);
    return `  /** Where they begin. */\n  @inline get ${word}(): usize { return changetype<usize>(this) + ${fixed.length * 4}${before.join('')}; }\n`;
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
