import { BiphaseError, type FrozenInfo, inspect } from '../node.ts';
import { checkOutputs, type Outputs } from './data/answers.ts';
import { factsOf, type ModelFacts } from './data/facts.ts';
import { type Samples, transformed } from './data/inputs.ts';

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

/** A frozen file: what it says about itself, and what its numbers stand for. */
export interface FrozenFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly info: FrozenInfo;
  readonly facts: ModelFacts;
}

export function openFrozen(path: string, bytes: Uint8Array): FrozenFile {
  const info = inspect(bytes);
  const size = info.input.shape.reduce((a, b) => a * b, 1);
  return { path, bytes, info, facts: factsOf(path, info.notes ?? {}, size) };
}

/** Runs it on samples as their file has them; outputs are what its numbers stand for. */
export async function runFrozen(file: FrozenFile, samples: Samples): Promise<Outputs> {
  const { path, info, facts } = file;
  // Bytes are scaled inside of the file.
  const inputs = info.input.dtype === 'u8' ? bytesOf(file, samples) : transformed(facts, samples);
  const raw = await runModule(file, inputs);
  const width = raw.length / samples.count;
  checkOutputs(path, facts, width);
  const { scale, zeroPoint } = info.output;
  return { values: Float32Array.from(raw, (q) => (q - zeroPoint) * scale), width };
}

/** Samples for a file that takes bytes: bytes, or numbers that are bytes. */
function bytesOf({ path }: FrozenFile, samples: Samples): Uint8Array {
  const { values, size } = samples;
  if (values instanceof Uint8Array) return values;
  const broken = values.findIndex((x) => !(Number.isInteger(x) && x >= 0 && x <= 255));
  if (broken >= 0)
    throw new BiphaseError(
      'dtype_mismatch',
      `${path} takes bytes, ${samples.path} holds other numbers (sample ${Math.floor(broken / size)} has ${values[broken]}); ` +
        'give whole numbers from 0 to 255, or freeze with --input-type f32',
    );
  return Uint8Array.from(values);
}

/** Longest that it computes without a look at what else there is, in ms. */
const TURN_MS = 50;

/** Runs a module on samples of its own input type: its own numbers, one result after the other. */
async function runModule({ bytes: file, info }: FrozenFile, samples: Uint8Array | Float32Array) {
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
  let turn = performance.now();
  for (let at = 0; at < count; at += most) {
    const now = Math.min(most, count - at);
    bytes.set(given.subarray(at * sample, (at + now) * sample), into);
    const error = x.run(now);
    if (error !== 0) throw new BiphaseError('invalid_data', `the file's run(${now}) gave error ${error}`);
    all.set(bytes.subarray(out, out + now * result), at * result);
    if (performance.now() - turn < TURN_MS) continue;
    // Signals come between turns alone: without one, Ctrl-C would end nothing.
    await new Promise(setImmediate);
    turn = performance.now();
  }
  return new arrays[info.output.dtype](all.buffer);
}
