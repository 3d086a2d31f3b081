import type { data, Engine, FrozenModel } from '../../node.ts';
import type { LossName } from './options.ts';

type Tested = { readonly accuracy: number } | { readonly meanSquaredError: number };
export const told = (t: Tested) =>
  'accuracy' in t
    ? `${(t.accuracy * 100).toFixed(2)} % right`
    : `mean squared error ${t.meanSquaredError.toPrecision(4)}`;

export async function test(
  engine: Engine,
  frozen: FrozenModel,
  set: data.DataSet,
  loss: LossName,
): Promise<Tested> {
  const classes = loss === 'cross-entropy';
  const samples = new Float32Array(set.length * set.input.shape[0]);
  const size = set.target.shape.reduce((a, b) => a * b, 1);
  const target = classes ? new Int32Array(set.length) : new Float32Array(set.length * size);
  set.gather(
    Uint32Array.from({ length: set.length }, (_, i) => i),
    samples,
    target,
  );
  const infer = await engine.infer(frozen, { batchSize: Math.min(64, set.length) });
  const outputs = await infer(samples);
  infer.dispose();
  const width = outputs.length / set.length;
  if (!classes)
    return {
      meanSquaredError: outputs.reduce((sum, y, i) => sum + (y - target[i]) ** 2, 0) / outputs.length,
    };
  let right = 0;
  for (let i = 0; i < set.length; i++) {
    const scores = outputs.subarray(i * width, (i + 1) * width);
    if (scores.reduce((best, x, k) => (x > scores[best] ? k : best), 0) === target[i]) right++;
  }
  return { accuracy: right / set.length };
}
