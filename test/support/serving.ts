import { ReferenceBackend } from '../../src/backend/reference/backend.ts';
import { createWasmBackend } from '../../src/backend/wasm/backend.ts';
import { nn, optim, type QuantizedModel, Random } from '../../src/index.ts';
import { Engine } from '../../src/scheduler/engine.ts';

export const FEATURES = 24;

/** An engine on the wasm backend, as a server has it. */
export const wasmEngine = async (threads = 1) =>
  new Engine(await createWasmBackend({ threads, build: 'simd128', tiles: 'usual' }), {
    provider: undefined as never,
    findings: [],
  });

export const referenceEngine = () =>
  new Engine(new ReferenceBackend(), { provider: undefined as never, findings: [] });

/** A small int8 model with weights as they are initialized, made on the reference. */
export async function int8Model(widths: readonly number[] = [FEATURES, 32, 5]): Promise<QuantizedModel> {
  const engine = referenceEngine();
  const layers = widths.slice(1).flatMap((n, i) => [nn.linear(widths[i], n), nn.relu()]);
  const options = { loss: nn.mse, optimizer: optim.sgd(), input: [widths[0]], seed: 7 };
  const training = await engine.train(nn.sequential(...layers.slice(0, -1)), options);
  return engine.quantize(await training.freeze(), { calibration: samples(64, 1, widths[0]) });
}

/** count x features values. */
export function samples(count: number, seed: number, features = FEATURES): Float32Array<ArrayBuffer> {
  const random = new Random(seed);
  return Float32Array.from({ length: count * features }, () => random.normal());
}

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** The code of the error that a promise ends with; 'none' if it does not. */
export const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (error) => error.code ?? String(error),
  );
