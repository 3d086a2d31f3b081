import { BiphaseError, type FrozenInfo, inspect, type TypedArray } from '../node.ts';
import { checkOutputs, type Outputs } from './data/answers.ts';
import { factsOf, type ModelFacts } from './data/facts.ts';
import { type Samples, transformed } from './data/inputs.ts';

/** A frozen file's exports; docs/ABI.md. */
interface FrozenExports {
  readonly memory: WebAssembly.Memory;
  /** Of ABI 1 these take no number, and have no use for one. */
  input(index: number): number;
  output(index: number): number;
  input_bytes(index: number): number;
  output_bytes(index: number): number;
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
  const { dtype } = info.input;
  const inputs = dtype === 'f32' ? transformed(facts, samples) : wholeOf(file, dtype, samples);
  const [outputs] = await runTensors(file, [inputs], samples.count);
  checkOutputs(path, facts, outputs.width);
  return outputs;
}

/** Runs it on an array for each input, in the file's own order and types: what the numbers of each output stand for. */
export async function runTensors(
  file: FrozenFile,
  inputs: readonly TypedArray[],
  count: number,
): Promise<Outputs[]> {
  const raw = await runModule(file, inputs, count);
  return file.info.outputs.map(({ scale, zeroPoint }, i) => ({
    values: Float32Array.from(raw[i], (q) => (q - zeroPoint) * scale),
    width: raw[i].length / count,
  }));
}

/** The whole numbers that files take, and how to get around them. */
const whole = {
  u8: { words: 'bytes', from: 0, to: 255, or: ', or freeze with --input-type f32' },
  i8: { words: 'signed bytes', from: -128, to: 127, or: '' },
  i32: { words: 'whole numbers', from: -(2 ** 31), to: 2 ** 31 - 1, or: '' },
} as const;

/** Samples for a file that takes whole numbers: those, in whichever type. */
export function wholeOf(
  { path }: FrozenFile,
  dtype: keyof typeof whole,
  samples: Pick<Samples, 'path' | 'values' | 'size'>,
): TypedArray {
  const { values, size } = samples;
  if (dtype === 'u8' && values instanceof Uint8Array) return values;
  const { words, from, to, or } = whole[dtype];
  const broken = values.findIndex((x) => !(Number.isInteger(x) && x >= from && x <= to));
  if (broken >= 0)
    throw new BiphaseError(
      'dtype_mismatch',
      `${path} takes ${words}, ${samples.path} holds other numbers (sample ${Math.floor(broken / size)} has ${values[broken]}); ` +
        `give whole numbers from ${from} to ${to}${or}`,
    );
  return new arrays[dtype](values);
}

/** Longest that it computes without a look at what else there is, in ms. */
const TURN_MS = 50;

/** Runs a module on samples of its own input types: its own numbers, an array for each output. */
async function runModule(
  { bytes: file, info }: FrozenFile,
  samples: readonly TypedArray[],
  count: number,
): Promise<TypedArray[]> {
  const { instance } = await WebAssembly.instantiate(new Uint8Array(file)).catch((error: Error) => {
    const needs = info.build === 'relaxed' ? 'relaxed SIMD, which this runtime lacks' : 'WebAssembly SIMD';
    throw new BiphaseError(
      'unavailable',
      `this runtime does not take the file (it needs ${needs}): ${error.message}`,
    );
  });
  const x = instance.exports as unknown as FrozenExports;
  const most = x.max_batch();
  const bytes = new Uint8Array(x.memory.buffer);
  const inputs = samples.map((s, i) => ({
    at: x.input(i) >>> 0,
    size: x.input_bytes(i),
    given: new Uint8Array(s.buffer, s.byteOffset, s.byteLength),
  }));
  const outputs = info.outputs.map((_, i) => {
    const size = x.output_bytes(i);
    return { at: x.output(i) >>> 0, size, all: new Uint8Array(count * size) };
  });
  let turn = performance.now();
  for (let from = 0; from < count; from += most) {
    const now = Math.min(most, count - from);
    for (const { at, size, given } of inputs) bytes.set(given.subarray(from * size, (from + now) * size), at);
    const error = x.run(now);
    if (error !== 0) throw new BiphaseError('invalid_data', `the file's run(${now}) gave error ${error}`);
    for (const { at, size, all } of outputs) all.set(bytes.subarray(at, at + now * size), from * size);
    if (performance.now() - turn < TURN_MS) continue;
    // Signals come between turns alone: without one, Ctrl-C would end nothing.
    await new Promise(setImmediate);
    turn = performance.now();
  }
  return outputs.map(({ all }, i) => new arrays[info.outputs[i].dtype](all.buffer));
}
