/** What a user writes, in plain JavaScript: tools/check/package.ts runs it against the packed library. */
import assert from 'node:assert/strict';
import { createEngine, nn } from 'biphase';
import { loadKernels } from 'biphase/kernels';

const engine = await createEngine();
console.log(engine.describe());
engine.dispose();
assert.ok(nn.linear(2, 2));

const kernels = await loadKernels();
const product = new Float32Array(4);
kernels.matmul(Float32Array.of(1, 2, 3, 4), Float32Array.of(5, 6, 7, 8), product, { m: 2, k: 2, n: 2 });
assert.deepEqual([...product], [19, 22, 43, 50]);
