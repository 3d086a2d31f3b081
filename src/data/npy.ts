import { type Bytes, bytesOf } from '../core/arrays.ts';
import { type DType, dtypeOf, type TypedArray } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { sizeOf } from '../core/shape.ts';
import { parseNpyHeader } from './npy-header.ts';

/** What a NPY file holds. */
export interface NpyArray {
  /** Sizes of its dimensions; none for a single number. */
  readonly shape: readonly number[];
  /** Values in C order (row-major). Bools are bytes of 0 and 1; half floats are f32. */
  readonly data:
    | Uint8Array
    | Int8Array
    | Uint16Array
    | Int16Array
    | Uint32Array
    | Int32Array
    | BigUint64Array
    | BigInt64Array
    | Float32Array
    | Float64Array;
  /** There where the values are bools, which `data` holds as bytes. */
  readonly bool?: true;
}

/** Element types by their name in the header, without the order of bytes. 'f2' is widened afterwards. */
const types = {
  b1: Uint8Array,
  u1: Uint8Array,
  i1: Int8Array,
  u2: Uint16Array,
  i2: Int16Array,
  f2: Uint16Array,
  u4: Uint32Array,
  i4: Int32Array,
  f4: Float32Array,
  u8: BigUint64Array,
  i8: BigInt64Array,
  f8: Float64Array,
} as const;
const names: Partial<Record<DType, string>> = { u8: '|u1', i8: '|i1', i32: '<i4', f32: '<f4' };
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/**
 * Reads an array as numpy.save writes it (NumPy Enhancement Proposal 1): magic, version 1 to 3, length of the header, the header
 * (a Python dictionary), then the values. Numbers of every size, bools, either order of bytes, either order of dimensions:
 * what comes out is in C order. The length must fit exactly. `what` names the file in errors.
 * @throws BiphaseError 'invalid_data' that says what was found and what was expected.
 */
export function parseNpy(source: Bytes, what = 'this NPY file'): NpyArray {
  const bytes = bytesOf(what, source);
  const bad = (found: string): never =>
    fail('invalid_data', `${what}: ${found}. The file may be truncated or of another kind`);
  if (bytes.length < 12 || MAGIC.some((b, i) => bytes[i] !== b)) bad('it does not start as a NPY file does');
  if (bytes[6] < 1 || bytes[6] > 3) bad(`it has version ${bytes[6]}; expected 1 to 3`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const long = bytes[6] > 1;
  const begin = long ? 12 : 10;
  const end = begin + (long ? view.getUint32(8, true) : view.getUint16(8, true));
  if (end > bytes.length) bad(`its header should end at byte ${end} of ${bytes.length}`);
  const { order, type, fortran, shape } = parseNpyHeader(
    new TextDecoder().decode(bytes.subarray(begin, end)),
    what,
  );
  const array =
    types[type as keyof typeof types] ??
    fail(
      'invalid_data',
      `${what} has values of type ${type}; expected numbers or bools: ${Object.keys(types).join(', ')}. ` +
        "Convert them first, such as with x.astype('float32')",
    );
  const size = end + sizeOf(shape) * array.BYTES_PER_ELEMENT;
  if (size !== bytes.length)
    bad(`it has ${bytes.length} bytes; ${size} are expected for ${shape.join(' x ')} of ${type}`);
  // A plain copy: it starts at a multiple of the element, and is nobody else's memory.
  const raw = new Uint8Array(bytes.subarray(end));
  if (order === '>') reverseBytes(raw, array.BYTES_PER_ELEMENT);
  const stored = new array(raw.buffer);
  const values = type === 'f2' ? Float32Array.from(stored as Uint16Array, halfToFloat) : stored;
  if (type === 'b1' && (values as Uint8Array).some((b) => b > 1)) bad('a bool is neither 0 nor 1');
  const data = fortran && shape.length > 1 ? toRowMajor(values, shape) : values;
  return { shape, data, ...(type === 'b1' && { bool: true }) };
}

function reverseBytes(bytes: Uint8Array, each: number): void {
  if (each > 1) for (let at = 0; at < bytes.length; at += each) bytes.subarray(at, at + each).reverse();
}

/** IEEE 754 binary16: 1 bit of sign, 5 of exponent, 10 of fraction. */
function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Values whose first dimension varies fastest, with the last one varying fastest. */
function toRowMajor<T extends NpyArray['data']>(values: T, shape: readonly number[]): T {
  const turned = values.slice() as T;
  const index = shape.map(() => 0);
  for (const value of values) {
    turned[index.reduce((at, i, axis) => at * shape[axis] + i, 0)] = value;
    for (let axis = 0; axis < shape.length && ++index[axis] === shape[axis]; axis++) index[axis] = 0;
  }
  return turned;
}

/** The bytes of a NPY file with these values, in C order. Throws BiphaseError 'shape_mismatch' where they don't fit the shape. */
export function encodeNpy(data: TypedArray, shape: readonly number[]): Uint8Array<ArrayBuffer> {
  if (sizeOf(shape) !== data.length)
    fail('shape_mismatch', `${data.length} values don't fill the shape ${shape.join(' x ')}`);
  const dtype = dtypeOf(data);
  const descr = (dtype && names[dtype]) ?? fail('dtype_mismatch', `NPY files are not written for ${dtype}`);
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`;
  // Values begin at a multiple of 64; the header ends with a line break.
  const header = text.padEnd(Math.ceil((10 + text.length + 1) / 64) * 64 - 10 - 1);
  const file = new Uint8Array(10 + header.length + 1 + data.byteLength);
  file.set([...MAGIC, 1, 0, (header.length + 1) & 255, (header.length + 1) >> 8]);
  file.set(new TextEncoder().encode(`${header}\n`), 10);
  file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + header.length + 1);
  return file;
}
