/** Arrays as other code makes them: of another realm, clamped, shared, resizable, with their memory gone. */
import { createContext, runInContext } from 'node:vm';
import { afterAll, describe, expect, it } from 'vitest';
import { bytesOf, typeName } from '../../src/core/arrays.ts';
import { dtypeOf } from '../../src/core/dtype.ts';
import { BiphaseError, createEngine, data, loadModel, nn, optim, saveModel } from '../../src/index.ts';
import { loadKernels } from '../../src/kernels/index.ts';

const realm = createContext({});
const foreign = <T>(code: string): T => runInContext(code, realm) as T;
const engine = await createEngine({ backend: 'wasm', threads: 1, tiles: 'usual' });
afterAll(() => engine.dispose());

const options = { loss: nn.mse, optimizer: optim.sgd(), input: [2], seed: 1 };
const training = await engine.train(nn.linear(2, 1), options);
const frozen = await training.freeze();
const infer = await engine.infer(frozen);
const expected = await infer(Float32Array.of(1, 2, 3, 4));

const Resizable = ArrayBuffer as new (n: number, o: { maxByteLength: number }) => ArrayBuffer;

/** The same four values in memory of every kind. */
function arrays(): [string, Float32Array][] {
  const filled = (buffer: ArrayBufferLike, at = 0) => {
    const array = new Float32Array(buffer as ArrayBuffer, at, 4);
    array.set([1, 2, 3, 4]);
    return array;
  };
  return [
    ['another realm', foreign('Float32Array.of(1, 2, 3, 4)')],
    ['a part of a larger array', Float32Array.of(9, 1, 2, 3, 4, 9).subarray(1, 5)],
    ['shared memory', filled(new SharedArrayBuffer(32), 4)],
    ['resizable memory', filled(new Resizable(32, { maxByteLength: 64 }), 8)],
    ['a class of its own', new (class Mine extends Float32Array {})([1, 2, 3, 4])],
  ];
}

describe('samples in memory of every kind', () => {
  it.each(arrays())('%s: are taken', async (_, samples) => {
    expect(await infer(samples)).toEqual(expected);
    const predictor = await engine.predictor(frozen);
    expect(await predictor.predict(samples)).toEqual(expected);
    const set = data.fromArrays({ input: samples, inputShape: [2], target: new Float32Array(2) });
    const gathered = new Float32Array(4);
    set.gather([0, 1], gathered, new Float32Array(2));
    expect([...gathered]).toEqual([1, 2, 3, 4]);
    expect((await engine.quantize(frozen, { calibration: samples })).report[0].runs).toBe('int8');
    expect(await training.stepOn(samples, Float32Array.of(0, 0), 2)).toBeGreaterThan(0);
  });

  it('bytes: clamped ones, Buffers and those of another realm', () => {
    const bytes = [
      ...[Uint8ClampedArray.of(0, 255), Buffer.from([0, 255]), Uint8Array.of(0, 255)],
      ...[foreign<Uint8Array>('Uint8Array.of(0, 255)'), foreign<never>('Uint8ClampedArray.of(0, 255)')],
    ];
    for (const input of bytes) {
      const transform = { scale: 2, shift: 1 };
      const set = data.fromArrays({
        input: input as Uint8Array,
        inputShape: [1],
        target: input as Uint8Array,
        transform,
      });
      const [x, y] = [new Float32Array(2), new Int32Array(2)];
      set.gather([0, 1], x, y);
      expect([[...x], [...y], set.target.dtype]).toEqual([[1, 511], [0, 255], 'i32']);
    }
  });

  it('the kernels take them as operands and as results', async () => {
    const kernels = await loadKernels({ tiles: 'usual' });
    for (const [, a] of arrays()) {
      const out = foreign<Float32Array>('new Float32Array(4)');
      kernels.matmul(a, a, out, { m: 2, n: 2, k: 2 });
      expect([...out]).toEqual([7, 10, 15, 22]);
    }
    const out = foreign<Int8Array>('new Int8Array(2)');
    expect([...kernels.quantize(Float32Array.of(-1, 1), out, { scale: 0.5, zeroPoint: 0 })]).toEqual([-2, 2]);
    expect([...kernels.dequantize(out, new Float32Array(2), { scale: 0.5, zeroPoint: 0 })]).toEqual([-1, 1]);
  });
});

describe('what is no such array', () => {
  it.each<[unknown, string]>([
    [[1, 2], 'Array'],
    [new Float64Array(2), 'Float64Array'],
    [foreign('new Float64Array(2)'), 'Float64Array'],
    [new BigInt64Array(2), 'BigInt64Array'],
    [new Uint8ClampedArray(2), 'Uint8ClampedArray'],
    [new DataView(new ArrayBuffer(8)), 'DataView'],
    [new ArrayBuffer(8), 'ArrayBuffer'],
    [null, 'null'],
    [undefined, 'undefined'],
    ['1, 2', 'string'],
    [new Map(), 'Map'],
    [{ [Symbol.toStringTag]: 'Float32Array', length: 2 }, 'Float32Array'],
  ])('is refused by its name (%#)', async (samples, name) => {
    await expect(infer(samples as never)).rejects.toMatchObject({
      code: 'dtype_mismatch',
      message: expect.stringMatching(new RegExp(`got ${name}, expected Float32Array`)),
    });
    const target = new Float32Array(1);
    if (name !== 'Uint8ClampedArray')
      expect(() => data.fromArrays({ input: samples as never, inputShape: [2], target })).toThrow(
        BiphaseError,
      );
    await expect(engine.quantize(frozen, { calibration: samples as never })).rejects.toThrow(BiphaseError);
  });

  it('memory that was transferred or shrunk is told from an empty array', async () => {
    const moved = Float32Array.of(1, 2);
    structuredClone(moved.buffer, { transfer: [moved.buffer] });
    const shrunk = new Resizable(32, { maxByteLength: 32 } as never) as ArrayBuffer & {
      resize(n: number): void;
    };
    const beyond = new Float32Array(shrunk, 16, 2);
    shrunk.resize(8);
    for (const samples of [moved, beyond]) {
      await expect(infer(samples)).rejects.toMatchObject({
        code: 'invalid_argument',
        message: /memory .* is gone/,
      });
      await expect(engine.quantize(frozen, { calibration: samples })).rejects.toThrow(/is gone/);
    }
    await expect(infer(new Float32Array(0))).rejects.toThrow(/got no samples/);
    await expect(loadModel(new Uint8Array(0))).rejects.toThrow(/0 bytes/);
    await expect(loadModel(moved)).rejects.toMatchObject({ code: 'invalid_argument', message: /is gone/ });
  });

  it('dtypeOf and typeName know the array itself, not what it says it is', () => {
    expect(dtypeOf({ [Symbol.toStringTag]: 'Float32Array' })).toBeUndefined();
    expect(dtypeOf(foreign('new Int8Array(1)'))).toBe('i8');
    expect([typeName(new (class Samples {})()), typeName(Object.create(null)), typeName(() => 1)]).toEqual([
      ...['Samples', 'Object', 'function'],
    ]);
  });
});

describe("a file's bytes", () => {
  it('are taken in any array or buffer', async () => {
    const file = await saveModel(frozen);
    const shared = new Uint8Array(new SharedArrayBuffer(file.length));
    shared.set(file);
    const pool = Buffer.concat([Buffer.from('..'), file]).subarray(2);
    const sources = [file.buffer, shared, shared.buffer, pool, new DataView(file.buffer)];
    for (const source of [
      ...sources,
      foreign<(x: number[]) => Uint8Array>('(x) => Uint8Array.from(x)')([...file]),
    ])
      expect((await loadModel(source)).model).toMatchObject({ input: { shape: [2] } });
    expect(() => bytesOf('file', 'text')).toThrow(/file: got string, expected its bytes as a Uint8Array/);
  });
});
