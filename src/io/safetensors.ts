import { allocate, type DType, dtypeOf, type TypedArray } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { show } from '../core/options.ts';
import { showShape, sizeOf } from '../core/shape.ts';

/**
 * Reading and writing safetensors files (https://github.com/huggingface/safetensors):
 *
 *     [length of the header: u64, little-endian] [header: JSON, spaces at its end] [data of all tensors, without gaps]
 *
 * The header names each tensor with dtype, shape and its [begin, end) in the data. Nothing in it is believed: every
 * length and offset is checked against the bytes that are there before anything is handed out.
 */
export interface StoredTensor {
  readonly dtype: StoredType;
  readonly shape: readonly number[];
  /** Little-endian values; a view of the file's bytes, at any alignment. */
  readonly bytes: Uint8Array;
}

export interface Safetensors {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/** Bytes of an element of each type the format has. */
const typeBytes = {
  ...{ F64: 8, F32: 4, F16: 2, BF16: 2, F8_E4M3: 1, F8_E5M2: 1 },
  ...{ I64: 8, I32: 4, I16: 2, I8: 1, U64: 8, U32: 4, U16: 2, U8: 1, BOOL: 1 },
} as const;
export type StoredType = keyof typeof typeBytes;

/** How each element type is written. */
export const storedTypes: Readonly<Record<DType, StoredType>> = {
  f32: 'F32',
  i32: 'I32',
  u8: 'U8',
  i8: 'I8',
};

/** The format's own limit. */
const MOST_HEADER = 100e6;
const METADATA = '__metadata__';
/** No framework has tensors of more. */
const MOST_DIMENSIONS = 64;

/** The file's parts. Throws 'invalid_data', saying what is wrong with it. */
export function parseSafetensors(file: Uint8Array): Safetensors {
  const bad = (what: string): never => fail('invalid_data', `not a sound safetensors file: ${what}`);
  if (file.length < 8) bad(`it has ${file.length} bytes; the length of the header alone takes 8`);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const headerBytes = view.getBigUint64(0, true);
  if (headerBytes > MOST_HEADER || headerBytes > file.length - 8)
    bad(`its header should have ${headerBytes} bytes; ${file.length - 8} are there`);
  const dataAt = 8 + Number(headerBytes);
  const header =
    parseHeader(file.subarray(8, dataAt)) ?? bad('its header is not a JSON object, or has a name twice');
  const data = file.subarray(dataAt);
  const tensors = new Map<string, StoredTensor>();
  const spans: [begin: number, end: number][] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name === METADATA) continue;
    const { dtype, shape, begin, end } = tensorOf(entry) ?? bad(`its entry ${show(name)} is not a tensor's`);
    const bytes = sizeOf(shape) * typeBytes[dtype];
    if (!(end <= data.length && end - begin === bytes))
      bad(
        `${show(name)} (${dtype} ${showShape(shape)}, ${bytes} bytes) is at ${begin} to ${end} of ${data.length}`,
      );
    spans.push([begin, end]);
    tensors.set(name, { dtype, shape, bytes: data.subarray(begin, end) });
  }
  // One after the other without gap or overlap, up to the end: no byte is hidden, none is two tensors'.
  let at = 0;
  for (const [begin, end] of spans.sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
    if (begin !== at)
      bad(`bytes ${Math.min(begin, at)} to ${Math.max(begin, at)} are no tensor's, or two tensors'`);
    at = end;
  }
  if (at !== data.length) bad(`its last ${data.length - at} bytes belong to no tensor`);
  const metadata = metadataOf(header[METADATA]) ?? bad('its metadata are not texts by name');
  return { metadata, tensors };
}

/** The bytes of a file with these tensors, in this order. Throws 'invalid_argument' for two of one name. */
export function writeSafetensors(
  tensors: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly data: TypedArray;
  }[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = Object.create(null);
  header[METADATA] = metadata;
  let dataBytes = 0;
  for (const { name, shape, data } of tensors) {
    if (Object.hasOwn(header, name)) fail('invalid_argument', `two tensors are named '${name}'`);
    const end = dataBytes + data.byteLength;
    header[name] = { dtype: storedTypes[dtypeOf(data)!], shape, data_offsets: [dataBytes, end] };
    dataBytes = end;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  // Spaces make the data begin at a multiple of 8.
  const headerBytes = Math.ceil(text.length / 8) * 8;
  const file = new Uint8Array(8 + headerBytes + dataBytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerBytes), true);
  file.fill(0x20, 8, 8 + headerBytes);
  file.set(text, 8);
  let at = 8 + headerBytes;
  for (const { data } of tensors) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return file;
}

/** Types of real numbers that are read, each with how an element becomes a number. */
const readers: Partial<Record<StoredType, (view: DataView, at: number) => number>> = {
  F64: (view, at) => view.getFloat64(at, true),
  F16: (view, at) => half(view.getUint16(at, true)),
};

/** Types of whole numbers that are read: PyTorch counts in I64. */
const wholeReaders: Partial<Record<StoredType, (view: DataView, at: number) => number>> = {
  I64: (view, at) => Number(view.getBigInt64(at, true)),
  I32: (view, at) => view.getInt32(at, true),
  I16: (view, at) => view.getInt16(at, true),
  I8: (view, at) => view.getInt8(at),
  U8: (view, at) => view.getUint8(at),
};

/** A stored tensor's values as elements of a type, copied. Throws 'invalid_data' for what has no room in it. */
export function elementsOf(tensor: StoredTensor, dtype: DType, name = 'a tensor'): TypedArray {
  if (dtype === 'f32') return valuesOf(tensor, name);
  const { dtype: stored, bytes } = tensor;
  const read =
    wholeReaders[stored] ??
    fail(
      'invalid_data',
      `${show(name)} is ${stored}, expected whole numbers for ${dtype}, such as I64 or I32`,
    );
  const values = allocate(dtype, sizeOf(tensor.shape));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < values.length; i++) {
    const x = read(view, i * typeBytes[stored]);
    values[i] = x;
    if (values[i] !== x) fail('invalid_data', `${show(name)} holds ${x}, which ${dtype} has no room for`);
  }
  return values;
}

/** IEEE 754 binary16: a sign, 5 bits of exponent, 10 of mantissa. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const [exponent, mantissa] = [(bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return mantissa ? Number.NaN : sign * Infinity;
  return sign * (exponent === 0 ? mantissa * 2 ** -24 : (1024 + mantissa) * 2 ** (exponent - 25));
}

/** Whether a tensor holds real numbers that `valuesOf` reads; others are counters, positions, masks. */
export const isReal = ({ dtype }: StoredTensor): boolean =>
  dtype === 'F32' || dtype === 'BF16' || dtype in readers;

/** A stored tensor's values as f32, copied. Throws 'invalid_data' for what are no such numbers, or are beyond f32. */
export function valuesOf(
  { dtype, shape, bytes }: StoredTensor,
  name = 'a tensor',
): Float32Array<ArrayBuffer> {
  // slice() of a Node Buffer would share memory.
  if (dtype === 'F32') return new Float32Array(new Uint8Array(bytes).buffer);
  const values = new Float32Array(sizeOf(shape));
  const size = typeBytes[dtype];
  if (dtype === 'BF16') {
    // The upper halves of f32 numbers.
    const halves = new Uint8Array(values.buffer);
    for (let i = 0; i < bytes.length; i++) halves[2 * i + 2 - (i & 1)] = bytes[i];
    return values;
  }
  const read =
    readers[dtype] ??
    fail(
      'invalid_data',
      `${show(name)} is ${dtype}, expected F32, F16, BF16 or F64; convert it when it is saved`,
    );
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < values.length; i++) {
    const x = read(view, i * size);
    values[i] = x;
    if (!Number.isFinite(values[i]) && Number.isFinite(x))
      fail('invalid_data', `${show(name)} holds ${x}, which f32 has no room for`);
  }
  return values;
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const header: unknown = JSON.parse(text);
    return isRecord(header) && namesIn(text) === countNames(header) ? header : undefined;
  } catch {
    return undefined;
  }
}

/** Names in a JSON text, as often as they stand there: of equal ones JSON.parse keeps the last, in silence. */
function namesIn(text: string): number {
  let count = 0;
  for (const [token] of text.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|:/g)) if (token === ':') count++;
  return count;
}

function countNames(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const parts: unknown[] = Object.values(value);
  return parts.reduce((sum: number, part) => sum + countNames(part), Array.isArray(value) ? 0 : parts.length);
}

function tensorOf(
  entry: unknown,
): { dtype: StoredType; shape: number[]; begin: number; end: number } | undefined {
  if (!isRecord(entry)) return undefined;
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== 'string' || !Object.hasOwn(typeBytes, dtype)) return undefined;
  if (
    !isSizes(shape) ||
    shape.length > MOST_DIMENSIONS ||
    shape.reduce((a, b) => a * b, 1) > Number.MAX_SAFE_INTEGER
  )
    return undefined;
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) return undefined;
  return { dtype: dtype as StoredType, shape, begin: offsets[0], end: offsets[1] };
}

function metadataOf(value: unknown = {}): Record<string, string> | undefined {
  if (!isRecord(value) || Object.values(value).some((v) => typeof v !== 'string')) return undefined;
  return value as Record<string, string>;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isSizes = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
