/** Weights of other software: types, extra tensors, names, kinds of files. */
import { afterAll, describe, expect, it } from 'vitest';
import { createEngine, type FrozenModel, loadModel, nn } from '../../src/index.ts';
import { parseSafetensors, type StoredType, valuesOf } from '../../src/io/safetensors.ts';

const engine = await createEngine({ backend: 'reference' });
afterAll(() => engine.dispose());

type Given = Record<string, [type: StoredType, shape: number[], bytes: ArrayBufferView]>;

/** A file as safetensors.torch writes it: types and names as they come, no model. */
function file(tensors: Given): Uint8Array {
  let at = 0;
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  for (const [name, [dtype, shape, { byteLength }]] of Object.entries(tensors))
    header[name] = { dtype, shape, data_offsets: [at, (at += byteLength)] };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const made = new Uint8Array(8 + text.length + at);
  new DataView(made.buffer).setBigUint64(0, BigInt(text.length), true);
  made.set(text, 8);
  let end = 8 + text.length;
  for (const [, , { buffer, byteOffset, byteLength }] of Object.values(tensors)) {
    made.set(new Uint8Array(buffer, byteOffset, byteLength), end);
    end += byteLength;
  }
  return made;
}
const f32 = (shape: number[], fill: number): Given[string] => [
  'F32',
  shape,
  new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(fill),
];
const stateOf = (model: unknown) =>
  Object.fromEntries(Object.entries((model as FrozenModel).stateDict()).map(([n, { data }]) => [n, data[0]]));

describe('types', () => {
  const one = (type: StoredType, bytes: ArrayBufferView, n: number) => {
    const { tensors } = parseSafetensors(file({ x: [type, [n], bytes] }));
    return valuesOf(tensors.get('x')!, 'x');
  };

  it('F16 is read to the bit: normal, subnormal, the largest, the signs of zero, infinity, NaN', () => {
    // 1, -2, 65504, 2^-14, 2^-24, 1/3 (0.33325195), -0, inf, NaN
    const bits = Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x3555, 0x8000, 0x7c00, 0x7e01);
    const want = [1, -2, 65504, 2 ** -14, 2 ** -24, 0.333251953125, -0, Infinity, NaN];
    expect([...one('F16', bits, 9)]).toEqual(want);
  });

  it('BF16 is the upper half of f32', () => {
    const bits = Uint16Array.of(0x3f80, 0xc000, 0x3eab, 0x0001, 0x7f7f, 0x8000);
    const f = new Float32Array(Uint32Array.from(bits, (b) => b * 65536).buffer);
    expect(one('BF16', bits, 6)).toEqual(f);
    expect(f[2]).toBeCloseTo(1 / 3, 2);
  });

  it('F64 is rounded, and refused beyond f32', () => {
    expect(one('F64', Float64Array.of(0.1, -Infinity), 2)).toEqual(Float32Array.of(0.1, -Infinity));
    expect(() => one('F64', Float64Array.of(1e300), 1)).toThrow(
      /'x' holds 1e\+300, which f32 has no room for/,
    );
    expect(() => one('F8_E4M3', new Uint8Array(1), 1)).toThrow(
      /'x' is F8_E4M3, expected F32, F16, BF16 or F64/,
    );
  });
});

describe('weights in a model', () => {
  const model = () => nn.sequential(nn.linear(3, 4), nn.relu(), nn.linear(4, 4), nn.linear(4, 2));
  const names = (a: string, b: string, c: string): Given => ({
    ...{ [`${b}.bias`]: f32([4], 2), [`${b}.weight`]: f32([4, 4], 3) },
    ...{ [`${c}.bias`]: f32([2], 4), [`${c}.weight`]: f32([2, 4], 5) },
    ...{ [`${a}.bias`]: f32([4], 0), [`${a}.weight`]: f32([4, 3], 1) },
  });
  const expected = {
    ...{ '0.weight': 1, '0.bias': 0, '2.weight': 3, '2.bias': 2, '3.weight': 5, '3.bias': 4 },
  };

  it('have the names of the model, or others that shapes make clear; counters are left out', async () => {
    for (const [a, b, c] of [
      ['0', '2', '3'],
      ['fc1', 'fc2', 'fc3'],
      ['net.in', 'net.mid', 'head'],
    ]) {
      const extra: Given = { 'bn.num_batches_tracked': ['I64', [], BigInt64Array.of(7n)] };
      const { model: found, remarks } = await loadModel(file({ ...names(a, b, c), ...extra }), {
        model: model(),
      });
      expect(stateOf(found)).toEqual(expected);
      expect((found as FrozenModel).input.shape).toEqual([3]);
      expect(remarks[0]).toMatch(/left out.*bn.num_batches_tracked \(I64\)/);
      expect(remarks.length).toBe(a === '0' ? 1 : 2);
      if (a !== '0') expect(remarks[1]).toContain(`${a}.weight as 0.weight`);
    }
  });

  it('of equal shapes go by the numbers in their names, also beyond 9, or are refused', async () => {
    const deep = () => nn.sequential(...Array.from({ length: 11 }, () => nn.linear(2, 2, { bias: false })));
    const numbered = Array.from({ length: 11 }, (_, i) => [`fc${i + 1}.weight`, f32([2, 2], i)] as const);
    const { model: found } = await loadModel(file(Object.fromEntries([...numbered].reverse())), {
      model: deep(),
    });
    expect(Object.values(stateOf(found))).toEqual(numbered.map((_, i) => i));
    const two = nn.sequential(nn.linear(2, 2, { bias: false }), nn.linear(2, 2, { bias: false }));
    const named = file({ 'key.weight': f32([2, 2], 1), 'query.weight': f32([2, 2], 2) });
    await expect(loadModel(named, { model: two })).rejects.toMatchObject({
      code: 'invalid_data',
      message: expect.stringMatching(
        /missing '0.weight', '1.weight'; unknown 'key.weight', 'query.weight'.*nn.sequential\(\{ fc1/,
      ),
    });
  });

  it('go by name where layers have names, which files of layers and saved models keep', async () => {
    const { saveModel } = await import('../../src/index.ts');
    const given = file({ 'query.weight': f32([2, 2], 2), 'key.weight': f32([2, 2], 1) });
    const linear = { layer: 'linear', inFeatures: 2, outFeatures: 2, bias: false };
    const spec = [{ ...linear, name: 'key' }, 'relu', { ...linear, name: 'query' }];
    const built = nn.sequential({
      key: nn.linear(2, 2, { bias: false }),
      act: nn.relu(),
      query: nn.linear(2, 2, { bias: false }),
    });
    for (const model of [built, nn.fromSpec(spec)]) {
      const { model: found, remarks } = await loadModel(given, { model });
      expect([stateOf(found), remarks]).toEqual([{ 'key.weight': 1, 'query.weight': 2 }, []]);
      const again = await loadModel(await saveModel(found));
      expect(stateOf(again.model)).toEqual({ 'key.weight': 1, 'query.weight': 2 });
    }
    for (const name of ['0', 'a.b', '', 3])
      expect(() => nn.fromSpec([{ ...linear, name }])).toThrow(/its name is/);
    expect(() =>
      nn.fromSpec([
        { ...linear, name: 'a' },
        { ...linear, name: 'a' },
      ]),
    ).toThrow(/its name is 'a'/);
    expect(() => nn.sequential({ 0: nn.relu() })).toThrow(/named '0'/);
  });

  it.each([
    [[0x50, 0x4b, 3, 4], /PyTorch file \(.pt, .pth\).*safetensors.torch.save_file/],
    [[0x80, 2, 0x8a, 0x0a], /pickle.*save_file/],
    [[0x89, 0x48, 0x44, 0x46, 0x0d], /HDF5/],
    [[0x47, 0x47, 0x55, 0x46], /GGUF/],
    [[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0], /WebAssembly/],
  ])('in a file of another kind: it says what to do (%#)', async (start, message) => {
    const bytes = Uint8Array.from([...start, ...new Uint8Array(100)]);
    await expect(loadModel(bytes, { model: model() })).rejects.toMatchObject({
      code: 'invalid_data',
      message: expect.stringMatching(message),
    });
  });
});
