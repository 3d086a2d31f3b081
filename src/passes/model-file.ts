import { type Bytes, bytesOf } from '../core/arrays.ts';
import { callback, check, either, object, sizes, text } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import { optionsOf } from '../core/options.ts';
import type { Shape } from '../core/shape.ts';
import type { TensorId } from '../graph/graph.ts';
import { parseSafetensors, valuesOf, writeSafetensors } from '../io/safetensors.ts';
import { isSealed, seal, UNSEALED } from '../io/seal.ts';
import { fromSpec, specOf } from '../nn/from-spec.ts';
import { type Model, namedParameters } from '../nn/module.ts';
import { FrozenModel, matchStateDict } from './frozen.ts';
import type { Range } from './quantization.ts';
import { calibrationGraph, type QuantizedModel, quantizedModel } from './quantize.ts';

/** A model as it is kept: f32, or with the ranges that int8 is made from. */
export type StoredModel = FrozenModel | QuantizedModel;

/** Options of `saveModel`. */
export interface SaveOptions {
  /** Anything to keep beside the model, as text by name; `loadModel` gives it back. */
  readonly notes?: Readonly<Record<string, string>>;
}

/** Options of `loadModel`. */
export interface LoadOptions {
  /** For a safetensors file that does not say what model its weights are of (PyTorch's, say): the model to put them in. */
  readonly model?: Model;
  /** Shape of one of its input samples. */
  readonly input?: Shape;
}

/** What `loadModel` found. */
export interface LoadedModel {
  /** A FrozenModel where the file holds f32, a QuantizedModel where it also holds ranges. */
  readonly model: StoredModel;
  /** What was kept beside it, by name. */
  readonly notes: Readonly<Record<string, string>>;
}

const notes = check(
  'an object with a string for each name',
  (x) => object(x) && Object.values(x as object).every(text),
);
const checkSave = optionsOf<SaveOptions>('saveModel', { notes });
const checkLoad = optionsOf<LoadOptions>('loadModel', { model: either(object, callback), input: sizes });

const FORMAT = 'biphase.model';
const VERSION = '1';
const NOTE = 'note.';

/**
 * A model as the bytes of a safetensors file: each weight in f32 under its name in the state dict, and in the metadata the
 * layers, the input, for a quantized model the ranges of its tensors, and a SHA-256 over all of it. A quantized model is kept
 * with its f32 weights, so that it can be trained on; what is loaded has the same int8 bits.
 * Throws BiphaseError 'unsupported' for a model that is not made of layers of `nn`.
 */
export async function saveModel(model: StoredModel, options?: SaveOptions): Promise<Uint8Array<ArrayBuffer>> {
  const { notes = {} } = checkSave(options);
  const frozen = model instanceof FrozenModel ? model : model.frozen;
  const quantized = model instanceof FrozenModel ? undefined : model;
  const tensors = Object.entries(frozen.stateDict()).map(([name, { shape, data }]) => ({
    name,
    shape,
    data,
  }));
  const file = writeSafetensors(tensors, {
    ...{ format: FORMAT, version: VERSION, layers: JSON.stringify(specOf(frozen.model)) },
    input: JSON.stringify(frozen.input.shape),
    ...(quantized && {
      ranges: JSON.stringify([...quantized.ranges].map(([id, { min, max }]) => [id, min, max])),
      signature: quantized.signature,
    }),
    ...Object.fromEntries(Object.entries(notes).map(([name, text]) => [NOTE + name, text])),
    sha256: UNSEALED,
  });
  await seal(file);
  return file;
}

/**
 * Reads what `saveModel` wrote, or, given a model, the weights of any safetensors file by their names in its state dict.
 * All is checked before anything is handed out. Throws BiphaseError: 'invalid_data' for a file that is damaged or no model,
 * 'shape_mismatch' for weights that are not this model's, 'unsupported' for a newer version.
 */
export async function loadModel(source: Bytes, options?: LoadOptions): Promise<LoadedModel> {
  const { model, input } = checkLoad(options);
  const file = bytesOf('loadModel', source);
  const { metadata, tensors } = parseSafetensors(file);
  const state: Record<string, { shape: readonly number[]; data: Float32Array }> = {};
  for (const [name, tensor] of tensors) {
    if (tensor.dtype !== 'F32') fail('invalid_data', `the weight '${name}' is ${tensor.dtype}, expected F32`);
    state[name] = { shape: tensor.shape, data: valuesOf(tensor) };
  }
  if (metadata.format === FORMAT) {
    if (metadata.version !== VERSION)
      fail('unsupported', `the model file has version '${metadata.version}'; this library reads ${VERSION}`);
    if (!(await isSealed(file)))
      fail('invalid_data', 'the model file is damaged: its SHA-256 is not that of its content');
    const frozen = frozenOf(fromSpec(json('layers', metadata.layers)), inputOf(metadata.input), state);
    return { model: rangedOf(frozen, metadata) ?? frozen, notes: notesOf(metadata) };
  }
  if (metadata.format === 'biphase.checkpoint')
    fail(
      'invalid_data',
      'this file is a checkpoint of a training, not a model; load it with training.load()',
    );
  if (!model || !input)
    fail(
      'invalid_data',
      'this safetensors file does not say what its weights are of; give the model and its input',
    );
  return { model: frozenOf(model, input, state), notes: {} };
}

function frozenOf(model: Model, input: Shape, state: Parameters<typeof matchStateDict>[1]): FrozenModel {
  const parameters = [...namedParameters(model)].map(([parameter, name]) => ({ parameter, name }));
  const values = matchStateDict(parameters, state);
  return new FrozenModel(model, { dtype: 'f32', shape: input }, parameters, values);
}

function rangedOf(frozen: FrozenModel, { ranges, signature }: Readonly<Record<string, string>>) {
  if (ranges === undefined) return undefined;
  const list = json('ranges', ranges);
  const isRange = (r: unknown) =>
    Array.isArray(r) && r.length === 3 && r.every(Number.isFinite) && r[1] <= r[2];
  if (!Array.isArray(list) || !list.every(isRange)) return bad('ranges', ranges);
  const known = new Map(
    (list as [TensorId, number, number][]).map(([id, min, max]): [TensorId, Range] => [id, { min, max }]),
  );
  const model = quantizedModel(frozen, calibrationGraph(frozen, 1), known);
  if (model.signature !== signature)
    fail(
      'unsupported',
      'the model was quantized by a version that builds its layers in another way; quantize it anew',
    );
  return model;
}

function inputOf(text: string | undefined): Shape {
  const shape = json('input', text);
  const isShape = Array.isArray(shape) && shape.every((n) => Number.isSafeInteger(n) && n > 0);
  return isShape ? (shape as number[]) : bad('input', text);
}

const notesOf = (metadata: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.entries(metadata).flatMap(([key, text]) =>
      key.startsWith(NOTE) ? [[key.slice(NOTE.length), text]] : [],
    ),
  );

function json(what: string, text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return bad(what, text);
  }
}

const bad = (what: string, text: string | undefined): never =>
  fail('invalid_data', `the model file's ${what} cannot be read: ${String(text).slice(0, 80)}`);
