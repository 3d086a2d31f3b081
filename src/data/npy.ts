import { type Bytes, bytesOf } from '../core/arrays.ts';
import { type DType, dtypeOf, type TypedArray } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { sizeOf } from '../core/shape.ts';

/** What a NPY file holds. */
export interface NpyArray {
  /** Sizes of its dimensions; none for a single number. */
  readonly shape: readonly number[];
  /** Values in C order (row-major). */
  readonly data:
    | Uint8Array
    | Int8Array
    | Int16Array
    | Int32Array
    | BigInt64Array
    | Float32Array
    | Float64Array;
}

/** Element types by their name in the header; little-endian, as NumPy writes them on all common machines. */
const types = {
  '|b1': Uint8Array,
  '|u1': Uint8Array,
  '|i1': Int8Array,
  '<i2': Int16Array,
  '<i4': Int32Array,
  '<i8': BigInt64Array,
  '<f4': Float32Array,
  '<f8': Float64Array,
} as const;
const names: Partial<Record<DType, string>> = { u8: '|u1', i8: '|i1', i32: '<i4', f32: '<f4' };
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/**
 * Reads an array as numpy.save writes it (NumPy Enhancement Proposal 1): magic, version, length of the header, the header (a
 * Python dictionary), then the values in C order. The length must fit exactly. `what` names the file in errors.
 * @throws BiphaseError 'invalid_data' that says what was found and what was expected.
 */
export function parseNpy(source: Bytes, what = 'this NPY file'): NpyArray {
  const bytes = bytesOf(what, source);
  const bad = (found: string): never =>
    fail('invalid_data', `${what}: ${found}. The file may be truncated or of another kind`);
  if (bytes.length < 12 || MAGIC.some((b, i) => bytes[i] !== b)) bad('it does not start as a NPY file does');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const long = bytes[6] > 1;
  const begin = long ? 12 : 10;
  const end = begin + (long ? view.getUint32(8, true) : view.getUint16(8, true));
  if (end > bytes.length) bad(`its header should end at byte ${end} of ${bytes.length}`);
  const header = new TextDecoder('latin1').decode(bytes.subarray(begin, end));
  const descr = /'descr':\s*'([^']+)'/.exec(header)?.[1] ?? bad('its header names no type');
  const sizes = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1] ?? bad('its header has no shape');
  if (/'fortran_order':\s*True/.test(header))
    fail('invalid_data', `${what} is in Fortran order; save numpy.ascontiguousarray(x)`);
  const array =
    types[descr as keyof typeof types] ??
    fail(
      'invalid_data',
      `${what} has values of type ${descr}; expected one of ${Object.keys(types).join(', ')}`,
    );
  const shape = sizes.split(',').flatMap((s) => (s.trim() ? [Number(s)] : []));
  const size = end + sizeOf(shape) * array.BYTES_PER_ELEMENT;
  if (size !== bytes.length)
    bad(`it has ${bytes.length} bytes; ${size} are expected for ${shape.join(' x ')} of ${descr}`);
  return { shape, data: new array(new Uint8Array(bytes.subarray(end)).buffer) };
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
