import type { data, Engine, FrozenModel } from '../../node.ts';
import { type Score, score } from '../data/answers.ts';
import type { ModelFacts } from '../data/facts.ts';

/** How good a model's answers are on samples that it has not seen; as `biphase run` scores them. */
export async function validate(
  engine: Engine,
  frozen: FrozenModel,
  set: data.DataSet,
  facts: ModelFacts,
): Promise<Score> {
  const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
  const samples = new Float32Array(set.length * size(set.input.shape));
  const targets = set.length * size(set.target.shape);
  const expected = set.target.dtype === 'i32' ? new Int32Array(targets) : new Float32Array(targets);
  set.gather(
    Uint32Array.from({ length: set.length }, (_, i) => i),
    samples,
    expected,
  );
  const infer = await engine.infer(frozen, { batchSize: Math.min(64, set.length) });
  const values = await infer(samples);
  infer.dispose();
  return score(facts, { values, width: values.length / set.length }, expected);
}
