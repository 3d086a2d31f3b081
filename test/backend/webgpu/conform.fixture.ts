/** The conformance cases in Deno, whose WebGPU (wgpu) is not Dawn. Prints a ConformReport as JSON. */

import { conform, problemsOfCase } from '../../../conformance/judge/conform.ts';
import { fewCases, type ProductOp } from '../../../conformance/judge/product-cases.ts';
import { createWebgpuBackend } from '../../../src/backend/webgpu/backend.ts';
import { configs } from '../../../src/backend/webgpu/products.ts';

const gpu = navigator.gpu;
const backend = await createWebgpuBackend({ gpu });
const { adapter, cases, problems } = await conform(backend, { atOnce: 16 });

// The products' other kernels too, one of each kind: what is uniform, what folds and what is in bounds differs by compiler.
for (const name of ['large', 'blocksInParts', 'vector4x16'] as const) {
  const forced = await createWebgpuBackend({ gpu, force: { ...configs[name], packedDot: name === 'large' } });
  const ofOp = async (op: ProductOp) => {
    for (const c of fewCases(op, configs[name]))
      problems.push(...(await problemsOfCase(forced, op, c)).map((p) => `${name}: ${op}: ${p}`));
  };
  await Promise.all((['matmul', 'linear_backward', 'matmul_i8'] as const).map(ofOp));
}
console.log(JSON.stringify({ adapter, cases, problems }));
process.exit(0);
