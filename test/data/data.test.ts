import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { threefry2x32 } from '../../src/core/random.ts';
import { BiphaseError, data, Random } from '../../src/index.ts';

/** Writes IDX, for reading it back. */
function writeIdx(
  code: number,
  shape: number[],
  values: number[],
  put: (v: DataView, at: number, x: number) => void,
  width: number,
): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * shape.length + values.length * width);
  const view = new DataView(bytes.buffer);
  bytes.set([0, 0, code, shape.length]);
  for (const [i, n] of shape.entries()) view.setUint32(4 + 4 * i, n);
  for (const [i, x] of values.entries()) put(view, 4 + 4 * shape.length + i * width, x);
  return bytes;
}
const u8 = (shape: number[], values: number[]) =>
  writeIdx(8, shape, values, (v, at, x) => v.setUint8(at, x), 1);
const invalid = (bytes: Uint8Array) => {
  try {
    data.parseIdx(bytes, 'test.idx');
  } catch (error) {
    expect(error).toBeInstanceOf(BiphaseError);
    expect((error as BiphaseError).code).toBe('invalid_data');
    return (error as Error).message;
  }
  throw new Error('expected an error');
};

describe('IDX files', () => {
  const dims = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 });
  it('round-trip for every type', () => {
    fc.assert(
      fc.property(dims, fc.integer({ min: -128, max: 127 }), (shape, first) => {
        const count = shape.reduce((a, b) => a * b, 1);
        const values = Array.from({ length: count }, (_, i) => ((first + i * 37 + 128) % 256) - 128);
        expect([
          ...data.parseIdx(
            u8(
              shape,
              values.map((v) => v & 255),
            ),
          ).data,
        ]).toEqual(values.map((v) => v & 255));
        expect([
          ...data.parseIdx(writeIdx(9, shape, values, (v, at, x) => v.setInt8(at, x), 1)).data,
        ]).toEqual(values);
        expect([
          ...data.parseIdx(writeIdx(11, shape, values, (v, at, x) => v.setInt16(at, x), 2)).data,
        ]).toEqual(values);
        expect([
          ...data.parseIdx(writeIdx(12, shape, values, (v, at, x) => v.setInt32(at, x), 4)).data,
        ]).toEqual(values);
        expect([
          ...data.parseIdx(writeIdx(13, shape, values, (v, at, x) => v.setFloat32(at, x), 4)).data,
        ]).toEqual(values);
        const { shape: read, data: doubles } = data.parseIdx(
          writeIdx(14, shape, values, (v, at, x) => v.setFloat64(at, x), 8),
        );
        expect([read, [...doubles]]).toEqual([shape, values]);
      }),
    );
  });

  it('cut off anywhere, or with a byte too many, are refused', () => {
    const whole = u8([2, 3], [1, 2, 3, 4, 5, 6]);
    for (let n = 0; n < whole.length; n++)
      expect(invalid(whole.slice(0, n))).toMatch(/test\.idx: .*expected/);
    expect(invalid(Uint8Array.of(...whole, 0))).toMatch(/19 bytes; expected 18 for \[2, 3\]/);
  });

  it('with a wrong magic number, type, rank or size are refused', () => {
    const change = (at: number, value: number) =>
      u8([2, 3], [1, 2, 3, 4, 5, 6]).map((b, i) => (i === at ? value : b));
    expect(invalid(change(0, 1))).toMatch(/starts with 01 00 08 02/);
    expect(invalid(change(2, 10))).toMatch(/starts with 00 00 0a 02/);
    expect(invalid(change(3, 0))).toMatch(/0 dimensions/);
    expect(invalid(change(4, 255))).toMatch(/18 bytes; expected/);
    expect(invalid(Uint8Array.of(0x1f, 0x8b, 8, 0))).toMatch(/compressed with gzip/);
  });

  it('with any bytes at all never throw anything but that', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          data.parseIdx(bytes);
        } catch (error) {
          expect((error as BiphaseError).code).toBe('invalid_data');
        }
      }),
    );
  });
});

describe('data sets', () => {
  const set = data.fromArrays({
    input: Uint8Array.of(0, 255, 51, 102, 10, 20),
    inputShape: [2],
    target: Uint8Array.of(3, 1, 2),
    transform: { scale: 1 / 255, shift: -0.5 },
  });

  it('gather samples in the order asked for, transformed', () => {
    const [x, t] = [new Float32Array(4), new Int32Array(2)];
    set.gather([2, 0], x, t);
    expect([...t]).toEqual([2, 3]);
    const want = [10 / 255 - 0.5, 20 / 255 - 0.5, -0.5, 0.5];
    for (const [i, v] of want.entries()) expect(x[i]).toBeCloseTo(v, 6);
  });

  it('take parts', () => {
    const [x, t] = [new Float32Array(2), new Int32Array(1)];
    data.subset(set, 1, 3).gather([0], x, t);
    expect([data.take(set, 2).length, t[0]]).toEqual([2, 1]);
    expect(() => data.subset(set, 2, 5)).toThrow(/samples 2 to 5 are not inside a data set of 3/);
    expect(() => set.gather([3], x, t)).toThrow(/sample 3 was asked for; the data set has 3/);
  });

  it('refuse arrays that do not fit', () => {
    const make = (input: number, target: number) => () =>
      data.fromArrays({ input: new Float32Array(input), inputShape: [2], target: new Int32Array(target) });
    expect(make(5, 2)).toThrow(/5 input values are not a whole number of samples/);
    expect(make(6, 2)).toThrow(/3 inputs need 3 target values/);
  });
});

describe('the order of an epoch', () => {
  it('is a permutation given by seed and epoch alone', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300 }), fc.integer(), fc.nat(50), (length, seed, epoch) => {
        const order = data.batchOrder(length, { seed, epoch, shuffle: true });
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length }, (_, i) => i));
        expect(data.batchOrder(length, { seed, epoch, shuffle: true })).toEqual(order);
      }),
    );
  });
  it('differs from epoch to epoch, and is plain without shuffling', () => {
    const at = (epoch: number, shuffle = true) => data.batchOrder(100, { seed: 1, epoch, shuffle });
    expect(at(0)).not.toEqual(at(1));
    expect([...at(0, false)]).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });
});

describe('random numbers', () => {
  it.each([
    [
      [0, 0, 0, 0],
      [0x6b200159, 0x99ba4efe],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0x1cb996fc, 0xbb002be7],
    ],
    [
      [0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3],
      [0xc4923a9c, 0x483df7a0],
    ],
  ])("Threefry gives Random123's known answers", ([k0, k1, c0, c1], want) => {
    const out = new Uint32Array(2);
    threefry2x32(k0, k1, c0, c1, out);
    expect([...out]).toEqual(want);
  });
  it('have the right mean and deviation', () => {
    const random = new Random(7);
    const draw = (f: () => number) => Array.from({ length: 20000 }, f);
    const mean = (a: number[]) => a.reduce((x, y) => x + y) / a.length;
    const [uniform, normal] = [draw(() => random.uniform()), draw(() => random.normal())];
    expect(mean(uniform)).toBeCloseTo(0.5, 1);
    expect(Math.abs(mean(normal))).toBeLessThan(0.03);
    expect(mean(normal.map((x) => x * x))).toBeCloseTo(1, 1);
    expect(new Set(draw(() => random.int(3))).size).toBe(3);
  });
});
