import { type Bytes, bytesOf } from '../core/arrays.ts';
import type { DType } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { showShape } from '../core/shape.ts';

/** What an IDX file holds. */
export interface IdxArray {
  /** Sizes, outermost first. */
  readonly shape: readonly number[];
  /** Element type. */
  readonly dtype: DType | 'i16' | 'f64';
  /** The elements, row-major. */
  readonly data: Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;
}

/** Element types by the third byte of the magic number. */
const types = {
  8: { dtype: 'u8', bytes: 1, array: Uint8Array, get: 'getUint8' },
  9: { dtype: 'i8', bytes: 1, array: Int8Array, get: 'getInt8' },
  11: { dtype: 'i16', bytes: 2, array: Int16Array, get: 'getInt16' },
  12: { dtype: 'i32', bytes: 4, array: Int32Array, get: 'getInt32' },
  13: { dtype: 'f32', bytes: 4, array: Float32Array, get: 'getFloat32' },
  14: { dtype: 'f64', bytes: 8, array: Float64Array, get: 'getFloat64' },
} as const;

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join(' ');

/**
 * Reads the IDX format of the MNIST files (Y. LeCun): bytes 0 0, a type, the number of dimensions, their sizes as
 * big-endian u32, then the values, big-endian. The length must fit exactly. `what` names the file in errors.
 * @throws BiphaseError 'invalid_data' that says what was found and what was expected.
 */
export function parseIdx(source: Bytes, what = 'this IDX file'): IdxArray {
  const bytes = bytesOf(what, source);
  const refuse = (found: string, expected: string) =>
    fail(
      'invalid_data',
      `${what}: ${found}; expected ${expected}. The file may be truncated or of another kind`,
    );
  if (bytes[0] === 0x1f && bytes[1] === 0x8b)
    fail('invalid_data', `${what} is compressed with gzip; decompress it first (gunzip)`);
  if (bytes.length < 4) refuse(`${bytes.length} bytes in all`, 'a header of at least 4');
  const [zero0, zero1, code, rank] = bytes;
  const type = types[code as keyof typeof types];
  if (zero0 !== 0 || zero1 !== 0 || !type)
    refuse(
      `it starts with ${hex(bytes.subarray(0, 4))}`,
      '00 00, a type (08 to 0e), and a number of dimensions',
    );
  if (rank < 1 || rank > 8) refuse(`${rank} dimensions`, '1 to 8');
  const header = 4 + 4 * rank;
  if (bytes.length < header)
    refuse(`${bytes.length} bytes in all`, `a header of ${header} for ${rank} dimensions`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const count = shape.reduce((product, n) => product * n, 1);
  const size = header + count * type.bytes;
  if (size !== bytes.length)
    refuse(
      `${bytes.length} bytes`,
      `${size} for ${showShape(shape)} values of ${type.bytes} byte(s) and a header of ${header}`,
    );
  if (type.bytes === 1) {
    // A plain copy: slice() of a Node Buffer would share the caller's memory.
    const values = new Uint8Array(bytes.subarray(header));
    return { shape, dtype: type.dtype, data: type.dtype === 'u8' ? values : new Int8Array(values.buffer) };
  }
  const data = new type.array(count);
  for (let i = 0; i < count; i++) data[i] = view[type.get](header + i * type.bytes);
  return { shape, dtype: type.dtype, data };
}
