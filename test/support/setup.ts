/** Runs in every test process before its tests: from here on `nodeGPU()` finds SwiftShader, if nothing better. */
import { prepareGPU } from '../../tools/hosts/software-gpu.ts';

await prepareGPU();
