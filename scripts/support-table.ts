/** Writes docs/SUPPORT.md from the backends' own tables. */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { kernels as wasm } from '../src/backend/wasm/kernels.ts';
import { kernels as webgpu } from '../src/backend/webgpu/kernels.ts';
import { opNames, opOf } from '../src/ops/index.ts';

const file = fileURLToPath(new URL('../docs/SUPPORT.md', import.meta.url));

export function supportTable(): string {
  const cell = (kernel: object) => ('reason' in kernel ? `no: ${kernel.reason}` : 'yes');
  const rows = opNames.map(
    (op) =>
      `| \`${op}\` | ${opOf(op).gradient ? 'yes' : ''} | yes | ${cell(wasm[op])} | ${cell(webgpu[op])} |`,
  );
  return `# What runs where

Made by \`npm run support\` from the backends' tables; a test holds it.

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

Tested by \`npm test\` and \`npm run test:hosts\`, on Linux x64: Node 20 (simd128), Node 24 and 26 (relaxed); threads in Node,
and in Chromium on an isolated page, from a worker, and the fallback to one on a page that is not isolated; WebGPU by Dawn
on SwiftShader in Node, in Chromium on a page and in a worker, and by wgpu on Mesa's lavapipe in Deno; frozen files in Deno,
Bun, workerd and hosts without JavaScript (docs/ABI.md). Not yet tested: other operating systems, real GPUs, Firefox, the
engine itself in Bun. Not yet built: the command line, convolutions and attention.
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeFile(file, supportTable());
}
