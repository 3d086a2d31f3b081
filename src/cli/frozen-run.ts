import { BiphaseError, type FrozenInfo, inspect } from '../node.ts';

/** A frozen file's exports; docs/ABI.md. */
interface FrozenExports {
  readonly memory: WebAssembly.Memory;
  input(): number;
  output(): number;
  input_bytes(): number;
  output_bytes(): number;
  max_batch(): number;
  run(count: number): number;
}

const arrays = { f32: Float32Array, u8: Uint8Array, i8: Int8Array, i32: Int32Array } as const;

/** Runs a frozen file on samples of its own input type: results, one sample after the other. */
export async function runFrozen(file: Uint8Array, samples: Uint8Array | Float32Array) {
  const info: FrozenInfo = inspect(file);
  const { instance } = await WebAssembly.instantiate(new Uint8Array(file)).catch((error: Error) => {
    const needs = info.build === 'relaxed' ? 'relaxed SIMD, which this runtime lacks' : 'WebAssembly SIMD';
    throw new BiphaseError(
      'unavailable',
      `this runtime does not take the file (it needs ${needs}): ${error.message}`,
    );
  });
  const x = instance.exports as unknown as FrozenExports;
  const [into, out, most] = [x.input() >>> 0, x.output() >>> 0, x.max_batch()];
  const [sample, result] = [x.input_bytes(), x.output_bytes()];
  const bytes = new Uint8Array(x.memory.buffer);
  const given = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
  const count = given.length / sample;
  const all = new Uint8Array(count * result);
  for (let at = 0; at < count; at += most) {
    const now = Math.min(most, count - at);
    bytes.set(given.subarray(at * sample, (at + now) * sample), into);
    const error = x.run(now);
    if (error !== 0) throw new BiphaseError('invalid_data', `the file's run(${now}) gave error ${error}`);
    all.set(bytes.subarray(out, out + now * result), at * result);
  }
  return { info, outputs: new arrays[info.output.dtype](all.buffer) };
}
