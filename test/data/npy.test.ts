import { describe, expect, it } from 'vitest';
import { encodeNpy, parseNpy } from '../../src/data/npy.ts';

/** As numpy 2 writes numpy.save(f, numpy.array([[1, -2, 3]], dtype)). */
function numpy(descr: string, values: Uint8Array, shape = '(1, 3)', order = 'False'): Uint8Array {
  const text = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`;
  const header = `${text.padEnd(117)}\n`;
  const head = Buffer.concat([
    Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, 118, 0]),
    Buffer.from(header),
  ]);
  return new Uint8Array(Buffer.concat([head, values]));
}
const bytesOf = (array: ArrayBufferView) => new Uint8Array(array.buffer);

describe('NPY files', () => {
  it.each([
    ['<f4', Float32Array.of(1, -2, 3)],
    ['<f8', Float64Array.of(1, -2, 3)],
    ['<i2', Int16Array.of(1, -2, 3)],
    ['<i4', Int32Array.of(1, -2, 3)],
    ['<i8', BigInt64Array.of(1n, -2n, 3n)],
    ['|i1', Int8Array.of(1, -2, 3)],
    ['|u1', Uint8Array.of(1, 254, 3)],
  ])('reads %s', (descr, values) => {
    expect(parseNpy(numpy(descr, bytesOf(values)))).toEqual({ shape: [1, 3], data: values });
  });

  it.each([
    ['<u2', Uint16Array.of(1, 65535, 3)],
    ['<u4', Uint32Array.of(1, 4294967295, 3)],
    ['<u8', BigUint64Array.of(1n, 2n ** 63n, 3n)],
  ])('reads %s', (descr, values) => {
    expect(parseNpy(numpy(descr, bytesOf(values)))).toEqual({ shape: [1, 3], data: values });
  });

  it('reads bools as bytes, and says that they are bools', () => {
    const data = Uint8Array.of(0, 1, 1);
    expect(parseNpy(numpy('|b1', data))).toEqual({ shape: [1, 3], data, bool: true });
  });

  it('reads half floats, with subnormals, infinities and NaN', () => {
    const halves = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00, 0xfe00, 0x8000);
    const { data } = parseNpy(numpy('<f2', bytesOf(halves), '(7,)'));
    expect(data).toEqual(Float32Array.of(1, -2, 2 ** -24, 65504, Number.POSITIVE_INFINITY, Number.NaN, -0));
  });

  it('reads the other order of bytes, and all spellings of none', () => {
    const swapped = (array: ArrayBufferView) => {
      const bytes = bytesOf(array).slice();
      const each = bytes.length / 3;
      for (let at = 0; at < bytes.length; at += each) bytes.subarray(at, at + each).reverse();
      return bytes;
    };
    for (const [descr, values] of [
      ['>f4', Float32Array.of(1, -2, 3)],
      ['>f8', Float64Array.of(1, -2, 3e300)],
      ['>i2', Int16Array.of(1, -2, 3)],
      ['>i8', BigInt64Array.of(1n, -2n, 3n)],
    ] as const)
      expect(parseNpy(numpy(descr, swapped(values)))).toEqual({ shape: [1, 3], data: values });
    const bytes = Uint8Array.of(1, 2, 3);
    for (const descr of ['<u1', '>u1', '|u1', '=u1', 'u1'])
      expect(parseNpy(numpy(descr, bytes))).toEqual({ shape: [1, 3], data: bytes });
  });

  it('reads Fortran order into row-major', () => {
    const file = numpy('<f4', bytesOf(Float32Array.of(1, 4, 2, 5, 3, 6)), '(2, 3)', 'True');
    expect(parseNpy(file)).toEqual({ shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) });
    // A vector lies the same way in both.
    const vector = numpy('<f4', bytesOf(Float32Array.of(1, 2, 3)), '(3,)', 'True');
    expect(parseNpy(vector)).toEqual({ shape: [3], data: Float32Array.of(1, 2, 3) });
    const [a, b, c] = [2, 3, 4];
    const values = Float32Array.from({ length: a * b * c }, (_, i) => i);
    const turned = Float32Array.from(values, (_, at) => {
      const [i, j, k] = [at % a, Math.floor(at / a) % b, Math.floor(at / a / b)];
      return (i * b + j) * c + k;
    });
    expect(parseNpy(numpy('<f4', bytesOf(turned), '(2, 3, 4)', 'True')).data).toEqual(values);
  });

  it('reads headers as Python 2 and other programs write them', () => {
    const data = Float32Array.of(1, 2, 3);
    for (const shape of ['(3L,)', '(3,)', '( 3 , )', '(3)'])
      expect(parseNpy(numpy('<f4', bytesOf(data), shape))).toEqual({ shape: [3], data });
    expect(parseNpy(numpy('<f4', bytesOf(data), '(1L, 3L)'))).toEqual({ shape: [1, 3], data });
    const plain = numpy('<f4', bytesOf(data));
    const double = plain.map((b, i) => (i > 9 && i < 128 && b === 0x27 ? 0x22 : b));
    expect(parseNpy(double)).toEqual({ shape: [1, 3], data });
    // Version 2 has a longer length, version 3 the same and UTF-8.
    for (const version of [2, 3]) {
      const head = Uint8Array.of(...plain.subarray(0, 6), version, 0, 118, 0, 0, 0);
      expect(parseNpy(Uint8Array.of(...head, ...plain.subarray(10)))).toEqual({ shape: [1, 3], data });
    }
  });

  it('reads what it writes', () => {
    for (const shape of [[6], [2, 3], [1, 6, 1]])
      for (const data of [Float32Array.from({ length: 6 }, Math.sqrt), Uint8Array.of(1, 2, 3, 4, 5, 6)]) {
        const file = encodeNpy(data, shape);
        expect((file.length - data.byteLength) % 64).toBe(0);
        expect(parseNpy(file)).toEqual({ shape, data });
      }
    expect(parseNpy(encodeNpy(new Float32Array(0), [0, 4]))).toEqual({
      shape: [0, 4],
      data: new Float32Array(0),
    });
  });

  it('refuses what it cannot read, and says why', () => {
    const whole = numpy('<f4', bytesOf(Float32Array.of(1, 2, 3)));
    for (let cut = 0; cut < whole.length; cut++)
      expect(() => parseNpy(whole.subarray(0, cut))).toThrow('truncated or of another kind');
    expect(() => parseNpy(Uint8Array.of(...whole, 0))).toThrow('141 bytes; 140 are expected');
    for (const type of ['<c8', '|S3', '<U2', '|O', '<M8[s]', '>f16'])
      expect(() => parseNpy(numpy(type, new Uint8Array(12)))).toThrow('expected numbers or bools');
    expect(() => parseNpy(numpy('<f4', new Uint8Array(12), '(1, x)'))).toThrow('no shape');
    expect(() => parseNpy(numpy('<f4', new Uint8Array(12), '(1, 3)', 'Perhaps'))).toThrow('order');
    expect(() => parseNpy(whole.with(6, 4))).toThrow('version 4; expected 1 to 3');
    expect(() => parseNpy(numpy('|b1', Uint8Array.of(0, 1, 2)))).toThrow('neither 0 nor 1');
    expect(() => encodeNpy(new Float32Array(3), [4])).toThrow("3 values don't fill");
  });
});
