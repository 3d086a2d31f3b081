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
    expect(() => parseNpy(numpy('>f4', new Uint8Array(12)))).toThrow('values of type >f4');
    expect(() => parseNpy(numpy('<f4', new Uint8Array(12), '(1, 3)', 'True'))).toThrow('Fortran order');
    expect(() => encodeNpy(new Float32Array(3), [4])).toThrow("3 values don't fill");
  });
});
