import { expectArray, expectAttached } from '../core/arrays.ts';
import { check, object, oneOf, required, sizes } from '../core/checks.ts';
import { type DType, dtypeOf, type TypedArray } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { optionsOf } from '../core/options.ts';
import { type Shape, showShape, sizeOf } from '../core/shape.ts';
import type { DataSet, NamedDataSet, SampleType } from './dataset.ts';
import { applying, isTransform, type Transform } from './transform.ts';

/** Samples in memory, one after the other. */
export interface ArraySource {
  /** count x inputShape values. Bytes (u8) stay bytes in memory and become f32 when a batch is gathered. */
  readonly input: Float32Array | Uint8Array;
  /** Shape of one sample's input. */
  readonly inputShape: Shape;
  /** count x targetShape values: class numbers (i32 or u8) or f32. */
  readonly target: Float32Array | Int32Array | Uint8Array;
  /** [] (one number for each sample) if not given. */
  readonly targetShape?: Shape;
  /** Applied to inputs as they are gathered; none if not given. */
  readonly transform?: Transform;
}

/** One input or target of all samples, in memory. */
export interface FieldSource {
  /** count x shape values. */
  readonly values: TypedArray;
  /** Shape of one sample's part; [] (one number) if not given. */
  readonly shape?: Shape;
  /**
   * What batches hold, if not what the array does. Of inputs, bytes stay bytes (a model sees them as f32), but with a transform
   * everything is f32; of targets, they become i32.
   */
  readonly type?: 'f32' | 'i32' | 'u8';
  /** Applied to values as they are gathered; none if not given. */
  readonly transform?: Transform;
}

/** Inputs and targets by name. A field of one number for each sample may be its array. */
export interface NamedSource {
  /** Inputs by the names that the model knows them by. */
  readonly inputs: Readonly<Record<string, TypedArray | FieldSource>>;
  /** Targets by the names that the loss knows them by; an array or a field stands for the only one, which has no name. */
  readonly targets: TypedArray | FieldSource | Readonly<Record<string, TypedArray | FieldSource>>;
}

const values = required(check('typed arrays', (x) => typeof x === 'object' && x !== null));
const checkSource = optionsOf<ArraySource>('fromArrays', {
  ...{ input: values, inputShape: required(sizes), target: values, targetShape: sizes },
  transform: isTransform,
});
const fields = required(check('arrays by name, such as { ids: { values, shape: [128] } }', object));
const checkNamed = optionsOf<NamedSource>('fromArrays', { inputs: fields, targets: values });
const checkField = optionsOf<FieldSource>("fromArrays's field", {
  ...{ values, shape: sizes, type: oneOf('f32', 'i32', 'u8'), transform: isTransform },
});

/** A data set over arrays in memory; nothing is copied until a batch is gathered. */
export function fromArrays(source: ArraySource): DataSet;
export function fromArrays(source: NamedSource): NamedDataSet;
export function fromArrays(source: ArraySource | NamedSource): DataSet | NamedDataSet {
  return typeof source === 'object' && source !== null && ('inputs' in source || 'targets' in source)
    ? byName(checkNamed(source as NamedSource))
    : withoutNames(checkSource(source as ArraySource));
}

function withoutNames({ input, inputShape, target, targetShape = [], transform }: ArraySource): DataSet {
  const x = new Field("the data set's input", { values: input, shape: inputShape, type: 'f32', transform });
  const isReal = dtypeOf(target) === 'f32';
  const type = isReal ? 'f32' : 'i32';
  const t = new Field("the data set's target", { values: target, shape: targetShape, type });
  const { length } = x;
  if (input.length === 0) fail('invalid_data', 'the data set is empty; expected at least one sample');
  if (!Number.isInteger(length))
    fail(
      'shape_mismatch',
      `${input.length} input values are not a whole number of samples of shape ${showShape(inputShape)}`,
    );
  if (t.length !== length)
    fail(
      'shape_mismatch',
      `${length} inputs need ${length * t.size} target values of shape ${showShape(targetShape)}, got ${target.length}`,
    );
  return {
    ...{ length, input: x.type, target: t.type },
    gather(indices, intoInput, intoTarget) {
      x.gather(indices, intoInput);
      t.gather(indices, intoTarget);
    },
  };
}

function byName({ inputs, targets }: NamedSource): NamedDataSet {
  const xs = fieldsOf('input', inputs);
  const ts = fieldsOf('target', isSource(targets) ? { target: targets } : targets);
  const [first, ...others] = [...xs.values(), ...ts.values()];
  const { length } = first;
  if (xs.size === 0 || ts.size === 0 || length === 0)
    fail('invalid_data', 'the data set is empty; expected at least one sample with an input and a target');
  if (!Number.isInteger(length))
    fail(
      'shape_mismatch',
      `${first.what} has ${first.count} values, not a whole number of samples of ${showShape(first.type.shape)}`,
    );
  const odd = others.find((field) => field.length !== length);
  if (odd)
    fail(
      'shape_mismatch',
      `${odd.what} has ${odd.count} values, expected ${length} samples of ${showShape(odd.type.shape)}, as many as ${first.what} has`,
    );
  const typesOf = (of: Fields) => Object.fromEntries([...of].map(([name, { type }]) => [name, type]));
  return {
    ...{ length, inputs: typesOf(xs), targets: typesOf(ts) },
    gather(indices, intoInputs, intoTargets) {
      for (const [name, field] of xs) field.gather(indices, intoInputs[name]);
      for (const [name, field] of ts) field.gather(indices, intoTargets[name]);
    },
  };
}

type Fields = ReadonlyMap<string, Field>;

const isSource = (x: NamedSource['targets']): x is TypedArray | FieldSource =>
  ArrayBuffer.isView(x) || ArrayBuffer.isView((x as FieldSource).values);

function fieldsOf(part: 'input' | 'target', sources: NamedSource['inputs']): Fields {
  return new Map(
    Object.entries(sources).map(([name, source]) => {
      const field = checkField(ArrayBuffer.isView(source) ? { values: source } : source);
      const held = dtypeOf(field.values) ?? 'f32';
      const whole = part === 'target' && held !== 'f32' ? 'i32' : held === 'i8' ? 'i32' : held;
      const { type = field.transform ? 'f32' : whole } = field;
      return [
        name,
        new Field(name === part ? `the data set's ${part}` : `${part}s.${name}`, { ...field, type }),
      ];
    }),
  );
}

/** One input or target of all samples. */
class Field {
  /** In messages. */
  readonly what: string;
  readonly type: SampleType;
  /** Values of one sample, samples, and values of all. */
  readonly size: number;
  readonly length: number;
  readonly count: number;
  private readonly values: TypedArray;
  private readonly copy: (start: number, into: TypedArray, at: number) => void;

  constructor(what: string, { values, shape = [], type, transform }: FieldSource & { readonly type: DType }) {
    this.what = what;
    this.values = expectArray(what, values, 'f32', 'u8', 'i8', 'i32');
    this.type = { dtype: type, shape };
    this.size = sizeOf(shape);
    this.count = values.length;
    this.length = this.count / this.size;
    const apply = applying(transform, this.size);
    this.copy = (start, into, at) => apply(values, start, into, at);
  }

  /** Copies samples, one after the other. */
  gather(indices: ArrayLike<number>, into: TypedArray): void {
    const { values, size, length } = this;
    expectAttached(this.what, values);
    for (let i = 0; i < indices.length; i++) {
      const sample = indices[i];
      if (!(sample >= 0 && sample < length))
        fail('out_of_range', `sample ${sample} was asked for; the data set has ${length}`);
      this.copy(sample * size, into, i * size);
    }
  }
}
