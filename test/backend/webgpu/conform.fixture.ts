/** The conformance cases in Deno, whose WebGPU (wgpu) is not Dawn. Prints a ConformReport as JSON. */
import { createWebgpuBackend } from '../../../src/backend/webgpu/backend.ts';
import { conform } from '../../support/conform.ts';

const backend = await createWebgpuBackend({ gpu: navigator.gpu });
console.log(JSON.stringify(await conform(backend, { atOnce: 16 })));
process.exit(0);
