/** Writes docs/SUPPORT.md from the backends' own tables, and from what tools/check/runtimes.ts found. */
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { kernels as wasm } from '../../src/backend/wasm/kernels/index.ts';
import { kernels as webgpu } from '../../src/backend/webgpu/kernels/index.ts';
import { opNames, opOf } from '../../src/ops/index.ts';
import { type Found, runtimeRows } from '../check/runtimes/found.ts';

const file = fileURLToPath(new URL('../../docs/SUPPORT.md', import.meta.url));

export function supportTable(): string {
  const record = new URL('../../test/runtimes/found.json', import.meta.url);
  const found: Found[] = JSON.parse(readFileSync(record, 'utf8'));
  const cell = (kernel: object) => ('reason' in kernel ? `no: ${kernel.reason}` : 'yes');
  const rows = opNames.map(
    (op) =>
      `| \`${op}\` | ${opOf(op).gradient ? 'yes' : ''} | yes | ${cell(wasm[op])} | ${cell(webgpu[op])} |`,
  );
  return `# What runs where

Made by \`npm run support\` from the backends' tables and from a run in all runtimes; a test holds it.

| op | gradient | reference | wasm | webgpu |
|---|---|---|---|---|
${rows.join('\n')}

\`reshape\` costs nothing: it is the same memory under another shape.

## Runtimes

| | needs |
|---|---|
| wasm | WebAssembly with 128-bit SIMD. Builds: \`simd128\`, and \`relaxed\` where the engine has relaxed SIMD (chosen by asking the engine) |
| webgpu | \`navigator.gpu\` (browsers, Deno), or in Node the optional package \`webgpu\` |
| reference | nothing |

Found by \`npm run test:runtimes\`, which runs one suite (test/runtimes/suite.js) against the packed library everywhere: it
trains, quantizes, serves and multiplies with the bare kernels. The int8 outputs had the same bits in all of these runtimes,
on every backend that was there; so had training with the build \`simd128\`. The columns on WebGPU and on what \`auto\` chose are
of the machine of that run: Linux x64, without a GPU.

| runtime | SIMD | relaxed SIMD | threads | WebGPU | \`auto\` chose |
|---|---|---|---|---|---|
${runtimeRows(found)}

Known gaps:

- Workers of workerd have no shared memory, and a clock that stands still while they compute: one thread, no timed tiles.
- Relaxed multiply-add may round once or twice, as the engine likes: training with the build \`relaxed\` has the same bits
  for every number of threads, but may have others in another engine (Bun's differ from V8's). Ask for \`build: 'simd128'\` where that matters.
- Firefox has no WebGPU on Linux. Node has it with the optional package \`webgpu\`.
- Not yet tested: other operating systems and processors, Safari, real GPUs. Not yet built: convolutions and attention.

WebGPU is tested by \`npm test\` with Dawn on SwiftShader in Node and Chromium, and with wgpu on Mesa's lavapipe in Deno; frozen
files by \`npm run test:hosts\`, in hosts without JavaScript, too ([ABI.md](ABI.md)).
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeFile(file, supportTable());
}
