import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { checksum } from '../../../../src/backend/wasm/frozen/checksum.ts';
import { join, leb, readLeb, sectionsOf, signedLeb } from '../../../../src/backend/wasm/frozen/sections.ts';
import { BiphaseError, createEngine, exportWasm, inspect, nn } from '../../../../src/index.ts';
import { instantiateFrozen, randomSamples, untrained } from '../../../support/frozen.ts';

const model = nn.sequential(nn.linear(6, 9), nn.tanh(), nn.linear(9, 4));
let file: Uint8Array<ArrayBuffer>;
let weightBytes: number;
beforeAll(async () => {
  using engine = await createEngine({ backend: 'wasm', threads: 1 });
  const int8 = await engine.quantize(untrained(model, [6]), { calibration: randomSamples(600, 1) });
  weightBytes = int8.byteLength;
  file = await exportWasm(int8, { maxBatch: 5 });
});

/** Where the description begins: ABI version, checksum, JSON. */
const descriptionAt = (bytes: Uint8Array) => sectionsOf(bytes, 'it').find((s) => s.id === 0)!.start + 8;

/** With a checksum that fits, as one who changes a file on purpose would make it. */
function resealed(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const at = descriptionAt(bytes);
  const own = sectionsOf(bytes, 'it').find((s) => s.id === 0)!;
  const sum = checksum(join([bytes.subarray(0, own.from), bytes.subarray(at + 8)]));
  new DataView(bytes.buffer).setUint32(at + 4, sum, true);
  return bytes;
}

const problemOf = (bytes: Uint8Array): BiphaseError => {
  try {
    inspect(bytes);
  } catch (error) {
    if (error instanceof BiphaseError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};

describe('inspect', () => {
  it('tells layers, shapes, scales, bytes and ABI', () => {
    const info = inspect(file);
    expect(info).toMatchObject({ abi: 2, build: 'simd128', kernels: 'int8', maxBatch: 5 });
    expect(info).toMatchObject({ weightBytes, fileBytes: file.length });
    expect(info.input).toEqual({ name: 'input', dtype: 'f32', shape: [6], scale: 1, zeroPoint: 0 });
    expect(info.output).toMatchObject({ dtype: 'u8', shape: [4] });
    expect(info.layers).toMatchObject([
      { op: 'quantize', dtype: 'u8', shape: [6], weightBytes: 0 },
      { op: 'matmul_i8', dtype: 'u8', shape: [9], weightBytes: 9 * 6 + 9 * 8 + 256 },
      { op: 'matmul_i8', dtype: 'u8', shape: [4], weightBytes: 4 * 9 + 4 * 8 },
    ]);
    for (const { scale, zeroPoint } of info.layers) {
      expect(scale).toBeGreaterThan(0);
      expect(zeroPoint).toBeGreaterThanOrEqual(0);
    }
    expect(info.layers[2]).toMatchObject({ scale: info.output.scale, zeroPoint: info.output.zeroPoint });
  });

  it("tells an f32 model's activations", async () => {
    const info = inspect(await exportWasm(untrained(model, [6]), { f32: true }));
    expect(info.layers).toMatchObject([
      { op: 'matmul', activation: 'tanh', dtype: 'f32', shape: [9] },
      { op: 'matmul', dtype: 'f32', shape: [4] },
    ]);
    expect(info.weightBytes).toBe(4 * (6 * 9 + 9 + 9 * 4 + 4));
  });

  it('reads a file that lies in the middle of a buffer', () => {
    const buffer = new Uint8Array(file.length + 30);
    buffer.set(file, 13);
    expect(inspect(buffer.subarray(13, 13 + file.length))).toEqual(inspect(file));
  });

  it('takes bytes in any view or buffer, and refuses what is none by its type', () => {
    expect(inspect(file.buffer)).toEqual(inspect(file));
    expect(() => inspect('a name' as never)).toThrow(/string/);
    expect(() => inspect([...file] as never)).toThrow(/Array/);
  });

  it.each([
    ['nothing', new Uint8Array(0)],
    ['a few bytes', Uint8Array.of(0, 0x61, 0x73)],
    ['text', new TextEncoder().encode('digits, frozen long ago')],
  ])('refuses %s as no WebAssembly', (_, bytes) => {
    expect(problemOf(bytes)).toMatchObject({ code: 'invalid_data' });
    expect(problemOf(bytes).message).toMatch(/does not begin with/);
  });

  it('refuses another version of WebAssembly', () => {
    const bytes = file.slice();
    bytes[4] = 2;
    expect(problemOf(bytes)).toMatchObject({ code: 'unsupported' });
  });

  it('refuses a module that is no frozen model', () => {
    const plain = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
    expect(problemOf(plain).message).toMatch(/not \(or no longer\) a frozen model/);
  });

  it('refuses a file cut off anywhere', () => {
    for (let length = 0; length < file.length; length++)
      expect(problemOf(file.subarray(0, length)).code, `${length} bytes`).toBe('invalid_data');
  });

  it('refuses a file with any byte changed', () => {
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bytes = file.slice();
        bytes[at] ^= flip;
        expect(['invalid_data', 'unsupported']).toContain(problemOf(bytes).code);
      }),
      { numRuns: 1000 },
    );
  });

  it('says that weights were changed', () => {
    const bytes = file.slice();
    bytes[descriptionAt(file) - 200] ^= 1;
    expect(problemOf(bytes).message).toMatch(/changed after it was frozen/);
  });

  it.each([3, 77, 0, 0xffffffff])('refuses ABI version %i', (abi) => {
    const bytes = file.slice();
    new DataView(bytes.buffer).setUint32(descriptionAt(bytes), abi, true);
    expect(problemOf(resealed(bytes))).toMatchObject({ code: 'unsupported' });
    expect(problemOf(bytes).message).toContain(`ABI version ${abi}`);
  });

  it('refuses a description that is no JSON', () => {
    const bytes = file.slice();
    bytes[descriptionAt(bytes) + 8] = 0x7d;
    expect(problemOf(resealed(bytes)).message).toMatch(/can't be read/);
  });

  it('never throws anything but a BiphaseError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (tail) => {
        expect(problemOf(join([[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0], tail]))).toBeInstanceOf(BiphaseError);
      }),
    );
  });
});

describe('a frozen file whose data was changed', () => {
  it('instantiates, and refuses to run', async () => {
    const data = sectionsOf(file, 'it').find((s) => s.id === 11)!;
    const random = fc.sample(
      fc.tuple(fc.integer({ min: data.start + 9, max: data.end - 1 }), fc.integer({ min: 1, max: 255 })),
      60,
    );
    for (const [at, flip] of random) {
      const bytes = file.slice();
      bytes[at] ^= flip;
      const { run, verify, max_batch } = await instantiateFrozen(bytes);
      expect([run(1), run(5), verify(), max_batch()], `byte ${at}`).toEqual([2, 2, 2, 0]);
    }
  });
});

describe('LEB128', () => {
  it('unsigned: comes back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (value) => {
        const bytes = leb(value);
        expect(readLeb(Uint8Array.from(bytes), 0, 'it')).toEqual([value, bytes.length]);
      }),
    );
  });

  it('signed: what the engine reads as the result of a constant', () => {
    for (const value of [0, 1, 63, 64, 127, 128, 2048, -1, -64, -65, 2 ** 31 - 1, -(2 ** 31)]) {
      const body = [0, 0x41, ...signedLeb(value), 0x0b];
      const code = [1, body.length, ...body];
      const module = join([
        [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7f, 3, 2, 1, 0, 7, 5, 1, 1, 0x66, 0, 0],
        [10, code.length, ...code],
      ]);
      const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module));
      expect((exports.f as () => number)()).toBe(value);
    }
  });
});
