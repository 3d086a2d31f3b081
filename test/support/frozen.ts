import type { TypedArray } from '../../src/core/dtype.ts';
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
