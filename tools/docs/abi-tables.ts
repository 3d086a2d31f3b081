/** The tables of docs/ABI.md that come from assembly/records.ts: records with their words, and the numbers of kinds. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { kinds } from '../../assembly/kinds.ts';
import type { WordType } from '../../assembly/records.ts';
import { namedRecords } from '../build/named-records.ts';

const file = fileURLToPath(new URL('../../docs/ABI.md', import.meta.url));

/** docs/ABI.md with its tables made anew. */
export function abiDocument(): string {
  return fill(fill(readFileSync(file, 'utf8'), 'records', recordTable()), 'kinds', kindTable());
}

/** The document with what stands between two comments replaced. */
function fill(text: string, name: string, table: string): string {
  const begin = text.indexOf('\n', text.indexOf(`<!-- ${name}: `)) + 1;
  const end = text.indexOf(`<!-- end of ${name} -->`);
  return `${text.slice(0, begin)}\n${table}\n\n${text.slice(end)}`;
}

function recordTable(): string {
  const rows = namedRecords.map(({ opcode, title, words, note }) => {
    const list = Object.entries(words).map(([word, type]) => described(word, type));
    return `| ${opcode} | \`${title}\` | ${list.join(', ')}${note ? `. ${note[0].toUpperCase()}${note.slice(1)}` : ''} |`;
  });
  return ['| code | record | words after the first two |', '|---|---|---|', ...rows].join('\n');
}

/** Integers and addresses need no type: `count`, `x`. */
function described(word: string, type: WordType): string {
  if (type === 'f32' || type === 'u32') return `${word} ${type}`;
  if (type === 'at?') return `${word} (0: none)`;
  if (type === 'flag') return `${word} (0 or 1)`;
  return type.startsWith('i32[') ? `${word}${type.slice(3)}` : word;
}

function kindTable(): string {
  const rows = Object.entries(kinds).map(([kind, { about, values }]) => {
    const numbers = Object.entries(values).map(([name, number]) => `${number} \`${name}\``);
    const used = namedRecords.filter(({ words }) =>
      Object.values<WordType>(words).includes(kind as WordType),
    );
    return `- ${used.map((r) => `\`${r.title}\``).join(', ')}: ${about}. ${numbers.join(', ')}`;
  });
  return rows.join('\n');
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) writeFileSync(file, abiDocument());
