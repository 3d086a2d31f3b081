import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { kinds } from '../../assembly/kinds.ts';
import { chooseBuild, instantiate } from '../../src/backend/wasm/load.ts';
import { namedRecords } from '../../tools/build/named-records.ts';
import { abiDocument } from '../../tools/docs/abi-tables.ts';

const document = readFileSync(new URL('../../docs/ABI.md', import.meta.url), 'utf8');

it('docs/ABI.md says what assembly/ says (npm run abi writes it)', () => {
  expect(document).toBe(abiDocument());
});

it('names every number that a record may hold', () => {
  for (const { opcode, title, words } of namedRecords) {
    const row = document.split('\n').find((line) => line.startsWith(`| ${opcode} | \`${title}\` |`));
    for (const word of Object.keys(words)) expect(row, title).toContain(word);
  }
  for (const { values } of Object.values(kinds))
    for (const [name, number] of Object.entries(values)) expect(document).toContain(`${number} \`${name}\``);
});

it("names the kernel modules' exports, and no others", async () => {
  const { exports } = await instantiate({ build: 'simd128' });
  const kernelModules = document.slice(document.indexOf('## Kernel modules'));
  const table = kernelModules.slice(
    kernelModules.indexOf('### Exports'),
    kernelModules.indexOf('### The tape'),
  );
  const named = [...table.matchAll(/^\| `(\w+)\(/gm)].map((m) => m[1]);
  expect(named.sort()).toEqual(Object.keys(exports).sort());
});

it('shows a product by hand that works', async () => {
  const [, code, comment] = /```js\n([\s\S]*?\/\/ ([\d, ]+))\n```/.exec(document)!;
  const { bytes } = await chooseBuild('simd128');
  const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor;
  const result = await new AsyncFunction('bytes', code)(bytes);
  expect(result).toEqual(comment.split(', ').map(Number));
});
