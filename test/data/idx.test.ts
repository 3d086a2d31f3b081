import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BiphaseError } from '../../src/core/errors.ts';
import { type IdxArray, parseIdx } from '../../src/data/idx.ts';

type Name = 'u8' | 'i8' | 'i16' | 'i32' | 'f32' | 'f64';
const codes: Record<Name, number> = { u8: 8, i8: 9, i16: 11, i32: 12, f32: 13, f64: 14 };
const makers = {
  u8: Uint8Array,
  i8: Int8Array,
  i16: Int16Array,
  i32: Int32Array,
  f32: Float32Array,
  f64: Float64Array,
};
const setters = {
  u8: 'setUint8',
  i8: 'setInt8',
  i16: 'setInt16',
  i32: 'setInt32',
  f32: 'setFloat32',
  f64: 'setFloat64',
} as const;

/** The writer that the reader is checked against. */
function write(name: Name, shape: number[], data: IdxArray['data']): Uint8Array {
  const start = 4 + 4 * shape.length;
  const bytes = new Uint8Array(start + data.byteLength);
  const view = new DataView(bytes.buffer);
  bytes.set([0, 0, codes[name], shape.length]);
  for (const [i, size] of shape.entries()) view.setUint32(4 + 4 * i, size);
  for (const [i, x] of data.entries()) view[setters[name]](start + i * data.BYTES_PER_ELEMENT, x);
  return bytes;
}

const arrays = fc
  .record({
    name: fc.constantFrom(...(Object.keys(codes) as Name[])),
    shape: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 4 }),
    seed: fc.infiniteStream(fc.double({ min: -1e6, max: 1e6, noNaN: true })),
  })
  .map(({ name, shape, seed }) => {
    const count = shape.reduce((a, b) => a * b, 1);
    const data = new makers[name](Array.from({ length: count }, () => seed.next().value as number));
    return { name, shape, data };
  });

const failure = (bytes: Uint8Array): BiphaseError => {
  try {
    parseIdx(bytes, 'a file');
  } catch (error) {
    expect(error).toBeInstanceOf(BiphaseError);
    expect((error as Error).message).toMatch(/^a file\b/);
    return error as BiphaseError;
  }
  throw new Error('it was accepted');
};

const good = write('u8', [2, 3], Uint8Array.of(1, 2, 3, 4, 5, 6));
const changed = (at: number, value: number) => good.map((byte, i) => (i === at ? value : byte));

describe('parseIdx', () => {
  it('reads back what was written, for every type and shape', () => {
    fc.assert(
      fc.property(arrays, ({ name, shape, data }) => {
        const read = parseIdx(write(name, shape, data));
        expect(read).toMatchObject({ dtype: name, shape });
        expect(read.data).toEqual(data);
      }),
    );
  });

  it("reads Node's Buffer, whose slice shares memory, as any other bytes", () => {
    fc.assert(
      fc.property(arrays, ({ name, shape, data }) => {
        const buffer = Buffer.from(write(name, shape, data));
        const read = parseIdx(buffer).data;
        buffer.fill(0xff);
        expect(read).toEqual(data);
        expect(read.constructor).toBe(makers[name]);
      }),
    );
  });

  it('reads from the middle of a buffer and owns its result', () => {
    const buffer = new Uint8Array(good.length + 7);
    buffer.set(good, 3);
    const { data } = parseIdx(buffer.subarray(3, 3 + good.length));
    buffer.fill(0);
    expect([...data]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('refuses a file cut off anywhere, or with bytes too many', () => {
    fc.assert(
      fc.property(arrays, ({ name, shape, data }) => {
        const bytes = write(name, shape, data);
        for (let n = 0; n < bytes.length; n++)
          expect(failure(bytes.subarray(0, n)).code).toBe('invalid_data');
        expect(failure(Uint8Array.of(...bytes, 0)).message).toContain(`${bytes.length + 1} bytes; expected`);
      }),
      { numRuns: 40 },
    );
  });

  it.each([
    ['a magic number that is none', changed(0, 1), /starts with 01 00 08 02/],
    ['another magic number', changed(1, 0x50), /starts with 00 50/],
    ['an unknown element type', changed(2, 0x0a), /starts with 00 00 0a 02; expected 00 00, a type/],
    ['no dimensions', changed(3, 0), /0 dimensions/],
    ['more dimensions than there are bytes', changed(3, 255), /255 dimensions; expected 1 to 8/],
    ['a count too large', changed(7, 3), /18 bytes; expected 21/],
    ['a count too small', changed(7, 1), /18 bytes; expected 15/],
    ['gzip', Uint8Array.of(0x1f, 0x8b, 8, 0), /compressed with gzip; decompress it/],
    ['nothing', new Uint8Array(0), /0 bytes in all; expected a header/],
  ])('refuses %s', (_, bytes, message) => {
    expect(failure(bytes).message).toMatch(message);
  });

  it('refuses counts whose product overflows 32 and 53 bits', () => {
    const header = (...shape: number[]) => write('f64', shape, new Float64Array(0));
    // 2^16 * 2^16 is 0 in 32 bits: a reader that wraps would take the empty file.
    expect(failure(header(2 ** 16, 2 ** 16)).code).toBe('invalid_data');
    expect(failure(header(2 ** 31, 2 ** 31, 2 ** 31)).code).toBe('invalid_data');
  });

  it('never throws anything but BiphaseError on arbitrary bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          parseIdx(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(BiphaseError);
        }
      }),
    );
  });
});
