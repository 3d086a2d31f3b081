/**
 * Serves a frozen model: POST the bytes of whole samples, get the bytes of their results. Workers may not compile
 * WebAssembly from bytes, so the model is imported as a module; the configuration says which file it is.
 */
import model from 'digits.wasm';

const { memory, abi_version, input, output, input_bytes, output_bytes, max_batch, run } =
  new WebAssembly.Instance(model).exports;
if (abi_version() !== 2) throw new Error('this program knows ABI version 2');
// Inputs and outputs have numbers; images are input 0, their scores output 0. Addresses are unsigned; JavaScript gets them as signed numbers of 32 bits.
const [into, out] = [input(0) >>> 0, output(0) >>> 0];
const [sample, result, most] = [input_bytes(0), output_bytes(0), max_batch()];
const bytes = new Uint8Array(memory.buffer);

export default {
  async fetch(request) {
    const samples = new Uint8Array(await request.arrayBuffer());
    const total = samples.length / sample;
    if (!Number.isInteger(total) || total === 0)
      return new Response(`got ${samples.length} bytes, expected whole samples of ${sample}\n`, {
        status: 400,
      });
    const all = new Uint8Array(total * result);
    for (let at = 0; at < total; at += most) {
      const count = Math.min(most, total - at);
      bytes.set(samples.subarray(at * sample, (at + count) * sample), into);
      const error = run(count);
      if (error !== 0) return new Response(`run(${count}) gave error ${error}\n`, { status: 500 });
      all.set(bytes.subarray(out, out + count * result), at * result);
    }
    return new Response(all);
  },
};
