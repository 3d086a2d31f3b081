import { expectArray, typeName } from '../core/arrays.ts';
import { check } from '../core/checks.ts';
import { bytesPerElement, type DType, dtypeOf, type TypedArray } from '../core/dtype.ts';
import { type ErrorCode, fail } from '../core/errors.ts';
import { MAX_RANK, showShape, sizeOf } from '../core/shape.ts';
import { Tensor, type Tracer } from '../graph/trace.ts';
import { type AnyModel, forward, type Tensors, type Values } from '../nn/module.ts';
import type { TensorType } from '../ops/op.ts';

/**
 * Inside there are only records of tensors. A model's only input, output or target needs no name; it is the record `{ input }`,
 * `{ output }` or `{ target }` in here, and this file alone turns one form into the other.
 */
export type Signature = Readonly<Record<string, TensorType>>;

/** Arrays by name. */
export type Arrays = Readonly<Record<string, TypedArray>>;

/** What a caller hands over for tensors: the array itself for one without a name, else an array for each name. */
export type ArraysOf<V extends Values> = V extends Tensor
  ? TypedArray
  : { readonly [Name in keyof V]: TypedArray };

/** What a caller gets for tensors: Float32Array (where a result is whole numbers, as argmax's, Int32Array), by name if it has names. */
export type ResultsOf<V extends Values> = V extends Tensor
  ? Float32Array
  : { readonly [Name in keyof V]: Float32Array };

/** What a tensor is to a model; also the name of one that has none of its own. */
export type Part = 'input' | 'output' | 'target';

const typed =
  (dtype: DType) =>
  (...shape: readonly number[]): TensorType => ({ dtype, shape });

/** The type of one sample of floats: `f32(28, 28)`; `f32()` is one number. */
export const f32 = typed('f32');
/** The type of one sample of whole numbers, such as token ids: `i32(128)`. */
export const i32 = typed('i32');
/** The type of one sample of bytes, which a model sees as f32: `u8(28, 28)`. */
export const u8 = typed('u8');

const isType = (x: unknown): x is TensorType => {
  const { dtype, shape } = (x ?? {}) as Partial<TensorType>;
  return typeof dtype === 'string' && Array.isArray(shape);
};

/** A control character could end a name early in a frozen file, where hosts read it up to a zero. */
const isName = (name: string): boolean => /^[^\p{Cc}]{1,100}$/u.test(name);
const isSound = ({ dtype, shape }: TensorType): boolean =>
  Object.hasOwn(bytesPerElement, dtype) &&
  shape.length < MAX_RANK &&
  shape.every((n) => Number.isSafeInteger(n) && n >= 1);

/** Types by name, as options and files give them. */
export const isSignature = check(
  'a type for each name, such as { ids: i32(128), mask: f32(128) }',
  (x) =>
    typeof x === 'object' &&
    x !== null &&
    !Array.isArray(x) &&
    !isType(x) &&
    Object.keys(x).length > 0 &&
    Object.entries(x).every(([name, type]) => isName(name) && isType(type) && isSound(type)),
);

/** Of one type, that of the only tensor of a part. */
export const signatureOf = (part: Part, type: TensorType | Signature): Signature =>
  isType(type) ? { [part]: type } : type;

/** Whether a part is one tensor without a name of its own. */
export function isLone(part: Part, fields: Readonly<Record<string, unknown>>): boolean {
  const [name, ...others] = Object.keys(fields);
  return name === part && others.length === 0;
}

/** The one tensor where a part has no names, else the record. */
export const unnamed = <T>(
  part: Part,
  fields: Readonly<Record<string, T>>,
): T | Readonly<Record<string, T>> => (isLone(part, fields) ? fields[part] : fields);

/** The plan's slot of a tensor: `input`, or `inputs.mask`. */
export const slotName = (part: Part, name: string): string => (name === part ? part : `${part}s.${name}`);

/** A plan's slots of a part, by the tensors' own names. */
export function slotsOf<T>(part: Part, slots: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  const prefix = `${part}s.`;
  return Object.fromEntries(
    Object.entries(slots).flatMap(([slot, value]) => {
      if (slot === part) return [[part, value]];
      return slot.startsWith(prefix) ? [[slot.slice(prefix.length), value]] : [];
    }),
  );
}

/** Types of one sample, from slots of a batch. */
export const sampleTypes = (slots: Signature): Signature =>
  mapFields(slots, ({ dtype, shape }) => ({ dtype, shape: shape.slice(1) }));

/** Arrays by the names of slots. */
export const bySlot = <T>(part: Part, fields: Readonly<Record<string, T>>): Readonly<Record<string, T>> =>
  isLone(part, fields)
    ? fields
    : Object.fromEntries(Object.entries(fields).map(([name, value]) => [slotName(part, name), value]));

/** Something else of each field. */
export const mapFields = <T, U>(
  fields: Readonly<Record<string, T>>,
  make: (value: T, name: string) => U,
): Readonly<Record<string, U>> =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, make(value, name)]));

/** The type of a batch of samples. */
export const batched = ({ dtype, shape }: TensorType, batch: number): TensorType => ({
  dtype,
  shape: [batch, ...shape],
});

/** A batch's tensors as a model or loss sees them: bytes are f32 there, and what has no name is no record. */
export function feed(tracer: Tracer, part: Part, signature: Signature, batch: number): Values {
  const tensors = mapFields(signature, (type, name) => {
    const x = tracer.input(slotName(part, name), batched(type, batch));
    return type.dtype === 'u8' || type.dtype === 'i8' ? tracer.apply('cast', [x], { dtype: 'f32' }) : x;
  });
  return unnamed(part, tensors);
}

/** What a model makes of a batch. Throws 'invalid_argument' unless that is a tensor, or a record of them. */
export function outputsOf(model: AnyModel, x: Values): Tensors {
  const output: unknown = forward(model, x);
  if (output instanceof Tensor) return { output };
  const entries = typeof output === 'object' && output !== null ? Object.entries(output) : [];
  const odd = entries.find(([name, value]) => !(value instanceof Tensor) || !isName(name));
  if (entries.length === 0 || odd || Array.isArray(output))
    fail(
      'invalid_argument',
      odd && !Array.isArray(output)
        ? `the model's output '${odd[0]}' is no tensor; return the result of an op under each name`
        : 'the model returned no tensor; return the result of its last op, or several by name: { logits, value }',
    );
  return output as Tensors;
}

/**
 * Arrays by name, from what a caller gave: the array itself where a part has no names. Throws 'invalid_argument' unless there is
 * something under each name, and nothing else.
 */
export function byName(what: string, part: Part, names: readonly string[], given: unknown): Arrays {
  if (names.length === 1 && names[0] === part) return { [part]: given as TypedArray };
  const wanted = `{ ${names.join(', ')} }`;
  if (typeof given !== 'object' || given === null || dtypeOf(given) || Array.isArray(given))
    fail('invalid_argument', `${what}: got ${typeName(given)}, expected arrays by name: ${wanted}`);
  const lacking = names.find((name) => !Object.hasOwn(given, name));
  if (lacking) fail('invalid_argument', `${what}: ${part}s.${lacking} is missing; expected ${wanted}`);
  const odd = Object.keys(given).find((name) => !names.includes(name));
  if (odd) fail('invalid_argument', `${what}: there is no ${part} '${odd}'; expected ${wanted}`);
  return given as Arrays;
}

/**
 * How many samples a caller's inputs hold, each checked against its type. Throws 'dtype_mismatch', 'shape_mismatch',
 * and `none` where there are none.
 */
export function countOf(
  what: string,
  signature: Signature,
  arrays: Arrays,
  none: ErrorCode = 'invalid_argument',
): number {
  let first: { of: string; count: number } | undefined;
  for (const [name, { dtype, shape }] of Object.entries(signature)) {
    const of = name === 'input' ? 'the samples' : `inputs.${name}`;
    const { length } = expectArray(`${what}: ${of}`, arrays[name], dtype);
    const count = length / sizeOf(shape);
    if (length === 0)
      fail(none, `${what}: got no samples, expected at least one of shape ${showShape(shape)}`);
    if (first && count !== first.count)
      fail(
        'shape_mismatch',
        `${what}: ${of} has ${length} values, expected ${first.count} samples of ${showShape(shape)}, as many as ${first.of} has`,
      );
    if (!Number.isInteger(count))
      fail(
        'shape_mismatch',
        name === 'input'
          ? `${what}: ${length} values are not a whole number of samples of shape ${showShape(shape)}`
          : `${what}: ${of} has ${length} values, not a whole number of samples of ${showShape(shape)}`,
      );
    first ??= { of, count };
  }
  return first!.count;
}
