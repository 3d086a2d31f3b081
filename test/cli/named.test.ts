import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeNpy, parseNpy } from '../../src/data/npy.ts';
import { exportWasm, f32, nn, optim, type Tensor } from '../../src/index.ts';
import { measurements, texts, trainClassifier, trainRegression } from '../support/named-models.ts';
import { wasmEngine } from '../support/serving.ts';
import { biphase, temporary, well } from './cli.ts';

const COUNT = 21;
const { folder, remove } = temporary();
const put = (name: string, values: Parameters<typeof encodeNpy>[0]) =>
  writeFileSync(join(folder, name), encodeNpy(values, [COUNT, values.length / COUNT]));
/** What the engine answers. */
let sum: Float32Array;
let gap: Float32Array;
let logits: Float32Array;

beforeAll(async () => {
  const engine = await wasmEngine();
  const { inputs } = measurements(COUNT, 2);
  const pair = await (await trainRegression(engine)).freeze();
  ({ sum, gap } = await (await engine.infer(pair))(inputs));
  writeFileSync(join(folder, 'pair.wasm'), await exportWasm(pair, { f32: true, maxBatch: 8 }));
  put('values.npy', inputs.values);
  put('image.npy', inputs.image);

  const text = texts(COUNT, 5).inputs;
  const classifier = await (await trainClassifier(engine)).freeze();
  logits = await (await engine.infer(classifier))(text);
  writeFileSync(join(folder, 'texts.wasm'), await exportWasm(classifier, { f32: true, maxBatch: 8 }));
  put('ids.npy', text.ids);
  put('mask.npy', text.mask);

  const odd = nn.module({ l: nn.linear(4, 1) }, ({ a }: { a: Tensor }, { l }) => ({
    '../gap': l.forward(a),
  }));
  const training = await engine.train(odd, {
    ...{ loss: (y, t) => nn.mse(y['../gap'], t.t), optimizer: optim.sgd(), inputs: { a: f32(4) } },
    targets: { t: f32(1) },
  });
  await training.stepOn({ a: new Float32Array(8) }, { t: new Float32Array(2) }, 2);
  const bytes = await exportWasm(await training.freeze(), { f32: true, maxBatch: 8 });
  writeFileSync(join(folder, 'odd.wasm'), bytes);
  engine.dispose();
});
afterAll(remove);

/** In f32, builds round differently. */
function expectNear(got: ArrayLike<number>, want: Float32Array) {
  expect(got.length).toBe(want.length);
  for (const [i, w] of want.entries()) expect(got[i]).toBeCloseTo(w, 4);
}

const PAIR = ['pair.wasm', 'image=image.npy', 'values=values.npy'];

describe('biphase run with inputs by name', () => {
  it('gives each output by its name, a line for each sample, and writes each as NPY', () => {
    const { stdout } = well(folder, 'run', ...PAIR, '-o', 'answers');
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toHaveLength(COUNT);
    expectNear(
      lines.flatMap((line) => line.sum),
      sum,
    );
    expectNear(
      lines.flatMap((line) => line.gap),
      gap,
    );
    const written = parseNpy(readFileSync(join(folder, 'answers', 'gap.npy')));
    expect(written.shape).toEqual([COUNT, 2]);
    expectNear(written.data as Float32Array, gap);
  });

  it('of several inputs and one output', () => {
    const { outputs, samples } = JSON.parse(
      well(folder, 'run', 'texts.wasm', 'ids=ids.npy', 'mask=mask.npy', '--json').stdout,
    );
    expect(samples).toBe(COUNT);
    expectNear(
      outputs.flatMap((row: { output: number[] }) => row.output),
      logits,
    );
  });

  it.each<[what: string, args: string[], message: RegExp]>([
    [
      'an input without a file',
      ['pair.wasm', 'image=image.npy'],
      /input 'values' of pair.wasm is missing; give values=FILE image=FILE/,
    ],
    ['a name that is none', [...PAIR, 'picture=image.npy'], /has no input 'picture'/],
    ['a name given twice', [...PAIR, 'image=image.npy'], /an input is given twice/],
    [
      'a file without a name',
      ['pair.wasm', 'image.npy'],
      /'image.npy' names no input; give values=FILE image=FILE/,
    ],
    [
      'samples of another size',
      ['pair.wasm', 'image=values.npy', 'values=values.npy'],
      /values.npy has 4 values a sample, input 'image' takes 6/,
    ],
    ['a file where a folder would be', [...PAIR, '-o', 'ids.npy'], /could not make the folder ids.npy/],
    [
      'an output over an input',
      ['pair.wasm', 'image=image.npy', 'values=own/sum.npy', '-o', 'own'],
      /sum is own\/sum.npy, the file that is read as values/,
    ],
    [
      'a name that would lead out of the folder',
      ['odd.wasm', 'a=values.npy', '-o', 'answers'],
      /output '\.\.\/gap' of odd.wasm can't be the name of a file/,
    ],
    [
      'labels',
      [...PAIR, '--labels', 'values.npy'],
      /--labels, --target and --print classes are for models with one input/,
    ],
    [
      'numbers that are not whole',
      ['texts.wasm', 'ids=values12.npy', 'mask=mask.npy'],
      /takes whole numbers, values12.npy holds other numbers/,
    ],
  ])('refuses %s', (_, args, message) => {
    mkdirSync(join(folder, 'own'), { recursive: true });
    put('own/sum.npy', new Float32Array(COUNT * 4));
    put(
      'values12.npy',
      Float32Array.from({ length: COUNT * 12 }, (_, i) => i / 7),
    );
    const { code, stderr } = biphase(folder, 'run', ...args);
    expect(stderr).toMatch(message);
    expect(code).not.toBe(0);
  });
});
