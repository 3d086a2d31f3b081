/** The tables of docs/ABI.md that come from assembly/: records with their words, and the numbers of kinds. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string) => readFileSync(join(root, file), 'utf8');

/** docs/ABI.md with its tables made anew. */
export function abiDocument(): string {
  const fill = (text: string, name: string, table: string) =>
    text.replace(
      new RegExp(`(<!-- ${name}: [^\\n]*-->\\n)[\\s\\S]*?(<!-- end of ${name} -->)`),
      (_, begin, end) => `${begin}\n${table}\n\n${end}`,
    );
  return fill(fill(read('docs/ABI.md'), 'records', recordTable()), 'kinds', kindTable());
}

/** What the tape runs for each opcode, and the words that its comment names. */
function recordTable(): string {
  const numbers = new Map(
    [...read('assembly/opcodes.ts').matchAll(/const (\w+) = (\d+);/g)].map((m) => [m[1], m[2]]),
  );
  const sources = readdirSync(join(root, 'assembly'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.includes('frozen') && !file.includes('generated'))
    .map((file) => read(join('assembly', file)));
  const rows = [...read('assembly/tape.ts').matchAll(/case op\.(\w+): return (\w+)\(/g)].map(
    ([, name, kernel]) => `| ${numbers.get(name)} | \`${name}\` | ${wordsOf(kernel, sources)} |`,
  );
  return ['| code | record | words after the first two |', '|---|---|---|', ...rows].join('\n');
}

function wordsOf(kernel: string, sources: readonly string[]): string {
  const pattern = new RegExp(`/\\*\\*((?:(?!\\*/)[\\s\\S])*)\\*/\\s*export function ${kernel}\\(`);
  for (const source of sources) {
    const comment = pattern.exec(source)?.[1].replace(/\n\s*\* ?/g, ' ');
    const words = comment && /Record: (.*)/.exec(comment)?.[1].trim();
    if (words) return words;
  }
  throw new Error(`the comment of ${kernel}() in assembly/ does not say "Record: ..." with its words`);
}

/** The groups of numbers after the opcodes, each under a comment. */
function kindTable(): string {
  const [, ...groups] = read('assembly/opcodes.ts')
    .trim()
    .split(/\n\n(?=\/\/)/);
  return groups
    .map((group) => {
      const about = /^\/\/ (.*)/.exec(group)?.[1];
      const values = [...group.matchAll(/const (\w+) = (\d+);/g)].map(([, name, n]) => `${n} \`${name}\``);
      return `- ${about} ${values.join(', ')}`;
    })
    .join('\n');
}

if (import.meta.url === pathToFileURL(process.argv[1]).href)
  writeFileSync(join(root, 'docs/ABI.md'), abiDocument());
