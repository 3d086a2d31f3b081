/** The suite in workerd, which takes WebAssembly only as imported modules. `biphase` brings the relaxed one by itself. */
import simd128 from 'biphase/wasm/simd128.wasm';
import { suite } from './suite.js';

export default {
  async fetch() {
    try {
      return Response.json(await suite({ simd128: { modules: { simd128 } } }));
    } catch (error) {
      return new Response(error.stack, { status: 500 });
    }
  },
};
