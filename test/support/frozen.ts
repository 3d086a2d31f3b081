import type { DType, TypedArray } from '../../src/core/dtype.ts';
import { viewOf } from '../../src/core/dtype.ts';
import { Random } from '../../src/core/random.ts';
import { FrozenModel, inspect, type nn } from '../../src/index.ts';
import { namedParameters } from '../../src/nn/module.ts';

/** What docs/ABI.md promises of a frozen module. */
export interface FrozenExports {
  readonly memory: WebAssembly.Memory;
  abi_version(): number;
  max_batch(): number;
  inputs(): number;
  outputs(): number;
  /** The first, where no index is given: JavaScript makes 0 of it. */
  input(index?: number): number;
  output(index?: number): number;
  input_bytes(index?: number): number;
  output_bytes(index?: number): number;
  name(tensor: number): number;
  run(count: number): number;
  query(tensor: number, field: number): number;
  verify(): number;
}

/** An instance of a frozen file, as any host has it: nothing is given to it. */
export async function instantiateFrozen(bytes: Uint8Array<ArrayBuffer>): Promise<FrozenExports> {
  const { instance } = await WebAssembly.instantiate(bytes);
  return instance.exports as unknown as FrozenExports;
}

/** Runs samples through a frozen file, `batch` at a time, the last ones fewer. */
export async function runFrozen(
  bytes: Uint8Array<ArrayBuffer>,
  samples: TypedArray,
  batch: number,
): Promise<TypedArray> {
  const exports = await instantiateFrozen(bytes);
  const { input, output } = inspect(bytes);
  const size = (t: { shape: readonly number[] }) => t.shape.reduce((a, b) => a * b, 1);
  const count = samples.length / size(input);
  const results = viewOf(
    output.dtype,
    new ArrayBuffer(count * exports.output_bytes()),
    0,
    count * size(output),
  );
  for (let at = 0; at < count; at += batch) {
    const rows = Math.min(batch, count - at);
    const { buffer } = exports.memory;
    const from = viewOf(input.dtype, buffer, exports.input(), rows * size(input));
    from.set(samples.subarray(at * size(input), (at + rows) * size(input)));
    const code = exports.run(rows);
    if (code !== 0) throw new Error(`run(${rows}) gave ${code}`);
    results.set(viewOf(output.dtype, buffer, exports.output(), rows * size(output)), at * size(output));
  }
  return results;
}

/** The text at an address, up to a zero. */
export function textAt({ memory }: FrozenExports, at: number): string {
  const bytes = new Uint8Array(memory.buffer);
  return new TextDecoder().decode(bytes.slice(at, bytes.indexOf(0, at)));
}

/** Runs samples by name, as a host that knows nothing but the module's exports, `batch` at a time. */
export async function runByName(
  file: Uint8Array<ArrayBuffer>,
  samples: Readonly<Record<string, TypedArray>>,
  batch: number,
): Promise<Record<string, TypedArray>> {
  const e = await instantiateFrozen(file);
  const dtypes: readonly DType[] = ['f32', 'i32', 'u8', 'i8'];
  const bytesOf = (a: TypedArray) => new Uint8Array(a.buffer, a.byteOffset, a.byteLength);
  const inputs = Array.from({ length: e.inputs() }, (_, i) => {
    const values = samples[textAt(e, e.name(i))];
    return { all: bytesOf(values), at: e.input(i) >>> 0, bytes: e.input_bytes(i) };
  });
  const count = inputs[0].all.length / inputs[0].bytes;
  const outputs = Array.from({ length: e.outputs() }, (_, i) => {
    const tensor = e.inputs() + i;
    const all = new Uint8Array(count * e.output_bytes(i));
    return { name: textAt(e, e.name(tensor)), dtype: dtypes[e.query(tensor, 0)], all, at: e.output(i) >>> 0 };
  });
  const memory = new Uint8Array(e.memory.buffer);
  for (let from = 0; from < count; from += batch) {
    const rows = Math.min(batch, count - from);
    for (const { all, at, bytes } of inputs)
      memory.set(all.subarray(from * bytes, (from + rows) * bytes), at);
    const code = e.run(rows);
    if (code !== 0) throw new Error(`run(${rows}) gave ${code}`);
    for (const { all, at } of outputs) {
      const bytes = all.length / count;
      all.set(memory.subarray(at, at + rows * bytes), from * bytes);
    }
  }
  return Object.fromEntries(
    outputs.map(({ name, dtype, all }) => [
      name,
      viewOf(dtype, all.buffer, 0, all.length / (dtype === 'f32' || dtype === 'i32' ? 4 : 1)),
    ]),
  );
}

/** Normal numbers, the same for the same seed. */
export function randomSamples(length: number, seed: number): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length }, () => random.normal());
}

/** A model with the weights that it starts with, as if it had been trained. */
export function untrained(model: nn.Module, inputShape: readonly number[], seed = 1): FrozenModel {
  const parameters = [...namedParameters(model)].map(([variable, name]) => ({ name, variable }));
  const values = new Map(
    parameters.map(({ variable: parameter }, i) => {
      const scale = 1 / Math.sqrt(parameter.shape.at(-1)!);
      return [parameter, randomSamples(parameter.size, seed * 100 + i).map((x) => x * scale)] as const;
    }),
  );
  return new FrozenModel(model, { dtype: 'f32', shape: inputShape }, parameters, new Map(values));
}
