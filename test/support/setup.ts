/** Runs in every test process before its tests: from here on `nodeGPU()` finds SwiftShader, if nothing better. */
import { prepareGPU } from '../../scripts/software-gpu.ts';

await prepareGPU();
