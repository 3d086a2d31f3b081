/** Element types of tensors. Quantized weights are i8, quantized activations u8, labels and accumulators i32. */
export type DType = 'f32' | 'i32' | 'u8' | 'i8';

/** Arrays of f32, i32, u8 and i8 elements. */
export type TypedArray = Float32Array | Int32Array | Uint8Array | Int8Array;

/** The array of elements of a type. */
export type ArrayOf<D extends DType> = {
  readonly f32: Float32Array;
  readonly i32: Int32Array;
  readonly u8: Uint8Array;
  readonly i8: Int8Array;
}[D];

/** What the reference computes on: Float64Array stands in for f32 when gradients are checked in double precision. */
export type NumberArray = TypedArray | Float64Array;

const constructors = { f32: Float32Array, i32: Int32Array, u8: Uint8Array, i8: Int8Array } as const;

export const bytesPerElement: Readonly<Record<DType, number>> = { f32: 4, i32: 4, u8: 1, i8: 1 };

/** A zero-filled array of `length` elements. */
export function allocate(dtype: DType, length: number): TypedArray {
  return new constructors[dtype](length);
}

/** A view of `length` elements of a buffer, from `byteOffset`; no copy. */
export function viewOf(
  dtype: DType,
  buffer: ArrayBufferLike,
  byteOffset: number,
  length: number,
): TypedArray {
  return new constructors[dtype](buffer as ArrayBuffer, byteOffset, length);
}

/** Which typed array a value is: read from the array itself, so that one of another realm (a frame, a vm context) counts. */
const nameOf = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
)!.get!;

const byName: Readonly<Record<string, DType | undefined>> = {
  ...{ Float32Array: 'f32', Int32Array: 'i32', Int8Array: 'i8' },
  ...{ Uint8Array: 'u8', Uint8ClampedArray: 'u8' },
};

/** The dtype whose typed array this is, or undefined for any other value. */
export const dtypeOf = (array: unknown): DType | undefined => byName[nameOf.call(array)];
