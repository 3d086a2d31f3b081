/** Files whose checksums are right and whose content is not, as somebody may send them: always 'invalid_data'. */
import { afterAll, describe, expect, it } from 'vitest';
import { checksum } from '../../src/backend/wasm/frozen/checksum.ts';
import { CUSTOM, join, section, sectionsOf } from '../../src/backend/wasm/frozen/sections.ts';
import {
  createEngine,
  exportWasm,
  inspect,
  loadModel,
  nn,
  optim,
  Random,
  saveModel,
} from '../../src/index.ts';
import { seal, UNSEALED } from '../../src/io/seal.ts';

const engine = await createEngine({ backend: 'reference' });
afterAll(() => engine.dispose());
const layers = () => nn.sequential(nn.linear(2, 4), nn.gelu(), nn.sequential(nn.linear(4, 1)));
const options = { loss: nn.mse, optimizer: optim.adam(), input: [2], seed: 1 };
const training = await engine.train(layers(), options);
const frozen = await training.freeze();
const samples = Float32Array.of(1, 2, -3, 4);
const int8 = await engine.quantize(frozen, { calibration: samples });
const models = [await saveModel(frozen, { notes: { classes: '["a"]' } }), await saveModel(int8)];
const frozenFile = await exportWasm(int8);

type Header = Record<string, Record<string, unknown>>;

/** The file with another header, which a function makes of its text, sealed anew. */
async function withHeader(
  file: Uint8Array,
  change: (text: string) => string,
): Promise<Uint8Array<ArrayBuffer>> {
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  const text = new TextDecoder().decode(file.subarray(8, 8 + length));
  const header = new TextEncoder().encode(change(text.replace(/("sha256":")[0-9a-f]{64}/, `$1${UNSEALED}`)));
  const made = new Uint8Array(8 + header.length + file.length - 8 - length);
  new DataView(made.buffer).setBigUint64(0, BigInt(header.length), true);
  made.set(header, 8);
  made.set(file.subarray(8 + length), 8 + header.length);
  await seal(made).catch(() => undefined);
  return made;
}

const edited = (file: Uint8Array, edit: (header: Header) => void) =>
  withHeader(file, (text) => {
    const header = JSON.parse(text);
    edit(header);
    return JSON.stringify(header);
  });
const withMetadata = (file: Uint8Array, name: string, value: string) =>
  edited(file, (header) => {
    header.__metadata__[name] = value;
  });

/** The frozen file with another description, its checksum right. */
function withDescription(change: (json: string) => string): Uint8Array {
  const own = sectionsOf(frozenFile, 'it').findLast(({ id }) => id === CUSTOM)!;
  const body = frozenFile.subarray(own.start, own.end);
  const head = body.slice(0, 8 + 8);
  const json = new TextEncoder().encode(change(new TextDecoder().decode(body.subarray(16))));
  const before = frozenFile.subarray(0, own.from);
  new DataView(head.buffer).setUint32(12, checksum(join([before, json])), true);
  return join([before, section(CUSTOM, head, json)]);
}

const deep = (n: number) => `${'['.repeat(n)}"relu"${']'.repeat(n)}`;
const deepLayers = (n: number) => `${'{"layer":"sequential","layers":['.repeat(n)}"relu"${']}'.repeat(n)}`;
const nasty = [
  ...[
    '',
    'null',
    '0',
    '[]',
    '{}',
    '"relu"',
    '[null]',
    '[[]]',
    '1e400',
    '-1',
    'NaN',
    '{"__proto__":1}',
    '\u0000',
  ],
  ...[
    deep(100),
    deep(20_000),
    deepLayers(20_000),
    '[1e400]',
    '[-1]',
    '[1e15]',
    '[[0,1e39,1e39]]',
    '[[0,"a",1]]',
  ],
  ...[
    '{"layer":"constructor"}',
    '{"layer":["linear"]}',
    '{"layer":"linear","inFeatures":1e400,"outFeatures":1}',
  ],
  ...['[{"layer":"linear","inFeatures":4294967296,"outFeatures":4294967296}]', '[{"layer":"dropout","p":7}]'],
  ...[
    '[{"layer":"softmax","axis":9}]',
    '[{"layer":"relu","name":"__proto__"},{"layer":"relu","name":"__proto__"}]',
  ],
];
const invalid = { code: 'invalid_data' };

describe('a model file', () => {
  it('that its seal proves to be whole is not believed for that', async () => {
    for (const file of models) {
      expect((await loadModel(await edited(file, () => {}))).model).toBeDefined();
      for (const text of nasty) {
        await expect(
          loadModel(await withMetadata(file, 'layers', text)),
          text.slice(0, 60),
        ).rejects.toMatchObject(invalid);
        await expect(
          loadModel(await withMetadata(file, 'inputs', text)),
          text.slice(0, 60),
        ).rejects.toMatchObject(invalid);
      }
      for (const shape of ['[3]', '[2,2,2,2,2,2,2,2]', '[9007199254740991]']) {
        const inputs = `{"input":{"dtype":"f32","shape":${shape}}}`;
        await expect(loadModel(await withMetadata(file, 'inputs', inputs))).rejects.toMatchObject(invalid);
      }
    }
    for (const text of nasty)
      await expect(
        loadModel(await withMetadata(models[1], 'ranges', text)),
        text.slice(0, 60),
      ).rejects.toMatchObject(invalid);
    for (const text of ['[[0,-1,1]]', '[["input",-1e308,1e308]]', '[["input",3,1]]', '[["input",null,1]]'])
      await expect(loadModel(await withMetadata(models[1], 'ranges', text))).rejects.toMatchObject(invalid);
  });

  it('with tensors that are not what they say', async () => {
    const [file] = models;
    const tensor = '0.weight';
    const edits: ((h: Header) => void)[] = [
      (h) => (h[tensor].shape = [2 ** 40, 2 ** 40]),
      (h) => (h[tensor].shape = [Infinity]),
      (h) => (h[tensor].shape = Array(10_000).fill(1)),
      (h) => (h[tensor].data_offsets = [0, Number.MAX_SAFE_INTEGER]),
      (h) => (h[tensor].data_offsets = h['0.bias'].data_offsets),
      (h) => (h[tensor].dtype = '__proto__'),
      (h) => (h[tensor].dtype = 'I32'),
      (h) => Object.assign(h, { 'x.weight': h[tensor] }, { [tensor]: undefined }),
      (h) => Object.assign(h, { constructor: { dtype: 'F32', shape: [0], data_offsets: [0, 0] } }),
      (h) =>
        Object.defineProperty(h, '__proto__', {
          value: { dtype: 'F32', shape: [0], data_offsets: [0, 0] },
          enumerable: true,
        }),
      (h) => (h.__metadata__ = [] as never),
      (h) => (h.__metadata__.layers = 1),
    ];
    for (const edit of edits)
      await expect(loadModel(await edited(file, edit)), String(edit)).rejects.toMatchObject(invalid);
    // JSON.parse would take the last of two names in silence.
    const zero = '"dtype":"F32","shape":[0],"data_offsets":[0,0]';
    for (const twice of [
      `{"a":{${zero}},"a":{${zero}},`,
      `{"a":{${zero},"shape":[0]},`,
      '{"__metadata__":{},',
    ])
      await expect(loadModel(await withHeader(file, (t) => t.replace('{', twice)))).rejects.toMatchObject(
        invalid,
      );
    for (const text of [deep(20_000), `{"a":${deep(20_000)}}`, '{"a":1', ''])
      await expect(loadModel(await withHeader(file, () => text))).rejects.toMatchObject(invalid);
  });
});

it('a checkpoint', async () => {
  const file = await training.checkpoint();
  await training.restore(await edited(file, () => {}));
  for (const text of nasty.filter((t) => t !== '0')) {
    await expect(
      training.restore(await withMetadata(file, 'step', text)),
      text.slice(0, 60),
    ).rejects.toMatchObject(invalid);
  }
  for (const text of nasty)
    await expect(
      training.restore(await withMetadata(file, 'position', text)),
      text.slice(0, 60),
    ).rejects.toMatchObject(invalid);
});

it('a frozen file', () => {
  expect(inspect(withDescription((json) => json))).toEqual(inspect(frozenFile));
  for (const text of nasty)
    expect(() => inspect(withDescription(() => text)), text.slice(0, 60)).toThrow(/description/);
  for (const [from, to] of [
    ['"layers":[', '"layers":[null,'],
    ['"maxBatch":64', '"maxBatch":1e400'],
    ['"dtype":"f32"', '"dtype":"__proto__"'],
    ['"scale":', '"scale":null,"_":'],
  ])
    expect(() => inspect(withDescription((json) => json.replace(from, to))), to).toThrow(
      /none of a frozen model/,
    );
});

it('damage of any kind, sealed anew, is told from a fault of ours', { timeout: 60_000 }, async () => {
  const random = new Random(7);
  const tokens = [
    '{',
    '}',
    '[',
    ']',
    '"',
    ':',
    ',',
    '0',
    '9',
    '-',
    'e',
    'null',
    '"a"',
    '\\',
    '\ud800',
    '1e400',
    '__proto__',
  ];
  const damage = (text: string) => {
    let made = text;
    for (let n = 1 + random.int(3); n > 0; n--) {
      const [at, length] = [random.int(made.length + 1), random.int(4)];
      made =
        made.slice(0, at) +
        (random.int(3) ? tokens[random.int(tokens.length)] : '') +
        made.slice(at + length);
    }
    return made;
  };
  const checkpoint = await training.checkpoint();
  const seen = new Set<string>();
  const note = (error: { code?: string; name: string }) => seen.add(error.code ?? error.name);
  for (let i = 0; i < 150; i++) {
    for (const file of models) await withHeader(file, damage).then(loadModel).catch(note);
    await withHeader(checkpoint, damage)
      .then((f) => training.restore(f))
      .catch(note);
    try {
      inspect(withDescription(damage));
    } catch (error) {
      note(error as Error);
    }
    const cut = models[0].slice(0, random.int(models[0].length));
    await loadModel(cut).catch(note);
  }
  // A version, an optimizer or a seed may be damaged into another one, and a name or size into another model's.
  const known = ['invalid_data', 'unsupported', 'invalid_argument', 'shape_mismatch'];
  expect([...seen].filter((code) => !known.includes(code))).toEqual([]);
  expect(seen.has('invalid_data')).toBe(true);
});
