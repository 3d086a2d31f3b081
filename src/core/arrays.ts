import { type DType, dtypeOf, type TypedArray } from './dtype.ts';
import { fail } from './errors.ts';

/** What a file may be given as: its bytes, in any array or buffer. */
export type Bytes = ArrayBufferView | ArrayBuffer | SharedArrayBuffer;

/** How messages call a value: 'Float64Array', 'Array', 'DataView', 'null', 'string'. */
export function typeName(value: unknown): string {
  if (value === null || typeof value !== 'object') return value === null ? 'null' : typeof value;
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  return tag === 'Object' ? value.constructor?.name || tag : tag;
}

const arrayNames: Readonly<Record<DType, string>> = {
  ...{ f32: 'Float32Array', i32: 'Int32Array', u8: 'Uint8Array', i8: 'Int8Array' },
};

/** The array, if it has one of the types and its memory is there. Throws 'dtype_mismatch' or 'invalid_argument'. */
export function expectArray<T extends TypedArray>(what: string, array: unknown, ...dtypes: DType[]): T {
  const dtype = dtypeOf(array);
  if (!dtype || !dtypes.includes(dtype))
    fail(
      'dtype_mismatch',
      `${what}: got ${typeName(array)}, expected ${dtypes.map((d) => arrayNames[d]).join(' or ')}`,
    );
  expectAttached(what, array as T);
  return array as T;
}

/** Throws unless the array's memory is there: a buffer that was transferred or shrunk leaves arrays that look empty. */
export function expectAttached(what: string, array: TypedArray): void {
  if (array.length > 0) return;
  try {
    Uint8Array.prototype.at.call(array, 0);
  } catch {
    gone(what, array);
  }
}

/** A file's bytes, in memory whose size nobody else changes. Throws 'invalid_argument' for anything that holds none. */
export function bytesOf(what: string, source: unknown): Uint8Array<ArrayBuffer> {
  const view = ArrayBuffer.isView(source);
  if (!view && !isBuffer(source))
    fail('invalid_argument', `${what}: got ${typeName(source)}, expected its bytes as a Uint8Array`);
  try {
    const bytes = view
      ? new Uint8Array(source.buffer as ArrayBuffer, source.byteOffset, source.byteLength)
      : new Uint8Array(source as ArrayBuffer);
    // Decoders and digests take neither shared nor resizable memory.
    const { buffer } = bytes as { buffer: { readonly resizable?: boolean } };
    return typeName(buffer) === 'ArrayBuffer' && !buffer.resizable ? bytes : new Uint8Array(bytes);
  } catch {
    return gone(what, source);
  }
}

const isBuffer = (value: unknown): boolean => /^(Shared)?ArrayBuffer$/.test(typeName(value));

const gone = (what: string, array: unknown): never =>
  fail(
    'invalid_argument',
    `${what}: the memory of this ${typeName(array)} is gone: its buffer was transferred or shrunk; keep a copy`,
  );
