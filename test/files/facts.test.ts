import { readFileSync } from 'node:fs';
import { afterAll, expect, it } from 'vitest';
import { factsOf } from '../../src/cli/data/facts.ts';
import { createEngine, loadModel, nn, optim, saveModel } from '../../src/index.ts';

const engine = await createEngine({ backend: 'reference' });
afterAll(() => engine.dispose());
const frozenOf = async (model: nn.Module, input: number[]) =>
  (await engine.train(model, { loss: nn.mse, optimizer: optim.sgd(), input, seed: 1 })).freeze();

it('a model file keeps class names and what is done to inputs, as the notes that the command line reads', async () => {
  const frozen = await frozenOf(nn.linear(2, 3), [2]);
  const labels = ['low', 'middle', 'high'];
  const file = await saveModel(frozen, {
    labels,
    normalize: { mean: [1, 2], deviation: [0.5, 4] },
    notes: { by: 'me' },
  });
  const loaded = await loadModel(file);
  expect(loaded).toMatchObject({ labels, normalize: { mean: [1, 2], deviation: [0.5, 4] } });
  expect(loaded.notes).toEqual({
    by: 'me',
    task: '"classification"',
    classes: '["low","middle","high"]',
    transform: '{"mean":[1,2],"deviation":[0.5,4]}',
  });
  expect(factsOf('file', loaded.notes, 2)).toEqual({
    ...{ task: 'classification', classes: labels, transform: { mean: [1, 2], deviation: [0.5, 4] } },
  });
  const scaled = await loadModel(await saveModel(frozen, { normalize: { scale: 0.25, shift: -1 } }));
  expect(scaled.normalize).toEqual({ scale: 0.25, shift: -1 });
  expect('labels' in scaled).toBe(false);
});

it('means of channels are those of each of their values; one output has two names', async () => {
  const model = nn.sequential(nn.flatten(), nn.linear(6, 1));
  const frozen = await frozenOf(model, [2, 3]);
  const normalize = { mean: [1, 2], deviation: [3, 4] };
  const loaded = await loadModel(await saveModel(frozen, { labels: ['no', 'yes'], normalize }));
  expect(loaded.normalize).toEqual({ mean: [1, 1, 1, 2, 2, 2], deviation: [3, 3, 3, 4, 4, 4] });
  expect(loaded.notes.task).toBe('"binary"');
});

it('what does not fit is refused, and files of before load', async () => {
  const frozen = await frozenOf(nn.linear(2, 3), [2]);
  for (const options of [{ labels: ['a', 'b'] }, { normalize: { mean: [1, 2, 3], deviation: [1, 1, 1] } }])
    await expect(saveModel(frozen, options)).rejects.toMatchObject({ code: 'shape_mismatch' });
  await expect(saveModel(frozen, { normalize: { mean: [1, 2], deviation: [0, 1] } })).rejects.toMatchObject({
    code: 'invalid_argument',
  });
  await expect(saveModel(frozen, { labels: ['a', 'b', 'c'], notes: { classes: 'x' } })).rejects.toThrow(
    /note 'classes'/,
  );
  const old = await loadModel(
    new Uint8Array(readFileSync(new URL('version-1.safetensors', import.meta.url))),
  );
  expect([old.labels, old.normalize]).toEqual([undefined, undefined]);
});
