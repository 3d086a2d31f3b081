import type {
  BackendName,
  Engine,
  FrozenModel,
  Inference,
  QuantizedModel,
  TypedArray,
} from '../../src/index.ts';
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
  // Images in turn, where there are fewer than a batch takes.
  const batch = Float32Array.from(
    { length: infer.batchSize * PIXELS },
    (_, i) => samples[i % samples.length],
  );
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
    try {
      const infer = await engine.infer(model, { batchSize: 500 });
      outputs.push(await infer.quantized(samples.subarray(0, images * PIXELS)));
      backends.push(backend);
    } finally {
      engine.dispose();
    }
  }
  const identical = outputs.every((o) => o.every((byte, i) => byte === outputs[0][i]));
  return { backends, identical, images, absent };
}

/** Whether two arrays hold the same bits; unlike ===, this tells 0 from -0 and takes NaN for itself. */
export function sameBits(a: TypedArray, b: TypedArray): boolean {
  const words = (x: TypedArray) => new Uint8Array(x.buffer, x.byteOffset, x.byteLength);
  const other = words(b);
  return a.length === b.length && words(a).every((word, i) => word === other[i]);
}

type Weights = ReturnType<FrozenModel['stateDict']>;

/** Whether two sets of weights have the same names and the same bits. */
export function sameWeights(a: Weights, b: Weights): boolean {
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => name in b && sameBits(a[name].data, b[name].data))
  );
}

/** Microseconds for one image, in f32 and int8, alone and in batches of 64. */
export async function timeServing(
  engine: Engine,
  f32: FrozenModel,
  int8: QuantizedModel,
  samples: Float32Array,
) {
  const per = async (model: FrozenModel | QuantizedModel, batchSize: number) => {
    const infer = await engine.infer(model, { batchSize });
    const us = await timePerSample(infer, samples, 300);
    infer.dispose();
    return us;
  };
  return {
    f32_us_batch1: await per(f32, 1),
    f32_us_batch64: await per(f32, 64),
    int8_us_batch1: await per(int8, 1),
    int8_us_batch64: await per(int8, 64),
  };
}
