/** The conformance cases in Deno, whose WebGPU (wgpu) is not Dawn. Prints a ConformReport as JSON. */
import { createWebgpuBackend } from '../../../src/backend/webgpu/backend.ts';
import { configs } from '../../../src/backend/webgpu/products.ts';
import { conform } from '../../support/conform.ts';

const gpu = navigator.gpu;
const backend = await createWebgpuBackend({ gpu });
const { adapter, cases, problems } = await conform(backend, { atOnce: 16 });

// The products' other kernels too, one of each kind: what is uniform, what folds and what is in bounds differs by compiler.
for (const name of ['large', 'blocksInParts', 'vector4x16'] as const) {
  const forced = await createWebgpuBackend({ gpu, force: { ...configs[name], packedDot: name === 'large' } });
  const report = await conform(forced, { only: ['matmul', 'matmul_i8'], atOnce: 2 });
  problems.push(...report.problems.map((p) => `${name}: ${p}`));
}
console.log(JSON.stringify({ adapter, cases, problems }));
process.exit(0);
