import type { WasmModules } from '../backend/wasm/load.ts';
import relaxed from '../wasm/relaxed.wasm';

/** Every release of workerd that is in use has relaxed SIMD; one without refuses the file when the Worker is deployed. */
export const modules: WasmModules = { relaxed };
