import type { BackendName, Engine, FrozenModel, Inference, QuantizedModel } from '../../src/index.ts';
import { BiphaseError, createEngine } from '../../src/index.ts';
import { CLASSES, PIXELS } from './mnist.ts';

/** The class with the largest logit, for each row. */
export function answersOf(logits: Float32Array): Uint8Array {
  return Uint8Array.from({ length: logits.length / CLASSES }, (_, row) => {
    const scores = logits.subarray(row * CLASSES, (row + 1) * CLASSES);
    return scores.indexOf(Math.max(...scores));
  });
}

/** Share of places where two lists agree. */
export const agreement = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let same = 0;
  for (let i = 0; i < a.length; i++) if (a[i] === b[i]) same++;
  return same / a.length;
};

/** Microseconds for one sample, the median of repeated calls after a warm-up. */
export async function timePerSample(
  infer: Inference,
  samples: Float32Array,
  budgetMs: number,
): Promise<number> {
  const batch = samples.subarray(0, infer.batchSize * PIXELS);
  const once = async () => {
    const begin = performance.now();
    await infer(batch);
    return performance.now() - begin;
  };
  const end = performance.now() + budgetMs;
  await once();
  await once();
  const times = [await once()];
  while (performance.now() < end && times.length < 5000) times.push(await once());
  times.sort((a, b) => a - b);
  return (times[times.length >> 1] * 1000) / infer.batchSize;
}

export interface BitIdentity {
  /** Backends that were compared. */
  readonly backends: string[];
  readonly identical: boolean;
  /** Images that all of them answered. */
  readonly images: number;
  /** Backends that are not here, with the reason. */
  readonly absent: string[];
}

/** The raw int8 outputs of every backend that is here, byte for byte. */
export async function compareBits(
  model: QuantizedModel,
  samples: Float32Array,
  most: number,
): Promise<BitIdentity> {
  const all: BackendName[] = ['reference', 'wasm', 'webgpu'];
  const images = Math.min(most, samples.length / PIXELS);
  const outputs: Uint8Array[] = [];
  const backends: string[] = [];
  const absent: string[] = [];
  for (const backend of all) {
    let engine: Engine;
    try {
      engine = await createEngine({ backend });
    } catch (error) {
      if (!(error instanceof BiphaseError && error.code === 'unavailable')) throw error;
      absent.push(error.message);
      continue;
    }
    const infer = await engine.infer(model, { batchSize: 500 });
    outputs.push(await infer.quantized(samples.subarray(0, images * PIXELS)));
    backends.push(backend);
    engine.dispose();
  }
  const identical = outputs.every((o) => o.every((byte, i) => byte === outputs[0][i]));
  return { backends, identical, images, absent };
}

/** Whether two sets of weights are the same bits. */
export function sameWeights(
  a: ReturnType<FrozenModel['stateDict']>,
  b: ReturnType<FrozenModel['stateDict']>,
): boolean {
  const bits = (data: Float32Array) => new Uint32Array(data.buffer, data.byteOffset, data.length);
  return Object.entries(a).every(([name, { data }]) => {
    const other = b[name] && bits(b[name].data);
    return other?.length === data.length && bits(data).every((word, i) => word === other[i]);
  });
}
