import { type Bytes, bytesOf } from '../core/arrays.ts';
import { callback, either, listOf, object, sizes, text, texts } from '../core/checks.ts';
import { type BiphaseError, fail } from '../core/errors.ts';
import { optionsOf, show } from '../core/options.ts';
import { MAX_RANK, type Shape } from '../core/shape.ts';
import type { TensorId } from '../graph/graph.ts';
import type { Tensor } from '../graph/trace.ts';
import {
  elementsOf,
  isReal,
  parseSafetensors,
  type Safetensors,
  storedTypes,
  writeSafetensors,
} from '../io/safetensors.ts';
import { isSealed, seal, UNSEALED } from '../io/seal.ts';
import { expectSafetensors, inputOfSpec, renamed } from '../model/foreign.ts';
import {
  type AnyFrozen,
  expectFinite,
  FrozenModel,
  type FrozenVariable,
  matchStateDict,
  type StateDict,
} from '../model/frozen.ts';
import { isSignature, type Signature } from '../model/signature.ts';
import { fromSpec, specOf } from '../nn/from-spec.ts';
import { type AnyModel, type Model, namedVariables, type Values } from '../nn/module.ts';
import { inferGraph } from '../plans/infer.ts';
import type { KeyedGraph } from '../quantize/keys.ts';
import {
  type AnyQuantized,
  calibrationGraph,
  type QuantizedModel,
  quantizedModel,
} from '../quantize/quantize.ts';
import { factNotes, factsIn, isTransform, type Transform } from './facts.ts';

/** A model as it is kept: f32, or with the ranges that int8 is made from. */
export type StoredModel<I extends Values = Tensor, O extends Values = Tensor> =
  | FrozenModel<I, O>
  | QuantizedModel<I, O>;

/** Options of `saveModel`. */
export interface SaveOptions {
  /** Anything to keep beside the model, as text by name; `loadModel` gives it back. */
  readonly notes?: Readonly<Record<string, string>>;
  /** Names of the classes, one for each output, or two (no, yes) for one output. The command line answers with them. */
  readonly labels?: readonly string[];
  /** What is done to inputs before the model sees them: then the command line takes them raw. Means and deviations are one for each value of a sample, or for each channel. */
  readonly normalize?: Transform;
}

/** Options of `loadModel`. */
export interface LoadOptions<I extends Values = Tensor, O extends Values = Tensor> {
  /** For a safetensors file that does not say what model its weights are of (PyTorch's, say): the model to put them in. */
  readonly model?: Model<I, O>;
  /** Shape of one of its input samples; what its first layer asks for, if not given. */
  readonly input?: Shape;
  /** Types of its inputs by name, where they have names or are not f32. */
  readonly inputs?: Signature;
}

/** What `loadModel` found. */
export interface LoadedModel<I extends Values = Tensor, O extends Values = Tensor> {
  /** A FrozenModel where the file holds f32, a QuantizedModel where it also holds ranges. */
  readonly model: StoredModel<I, O>;
  /** What was kept beside it, by name. */
  readonly notes: Readonly<Record<string, string>>;
  /** Names of the classes, where they are kept. */
  readonly labels?: readonly string[];
  /** What is to be done to inputs, where it is kept: `data.transformed(values, size, normalize)`. */
  readonly normalize?: Transform;
  /** What to know of how a file of other software was read: tensors left out, weights under other names. For people. */
  readonly remarks: readonly string[];
}

/** A model whatever it takes and gives. */
type Loaded = LoadedModel<Values, Values>;

const checkSave = optionsOf<SaveOptions>('saveModel', {
  ...{ notes: texts, labels: listOf(text), normalize: isTransform },
});
const checkLoad = optionsOf<LoadOptions<Values, Values>>('loadModel', {
  ...{ model: either(object, callback), input: sizes, inputs: isSignature },
});

const FORMAT = 'biphase.model';
/** 1 kept ranges by the numbers that tensors had. */
const VERSION = '2';
const VERSIONS = ['1', VERSION];
const NOTE = 'note.';
const MOST_F32 = 3.4028234663852886e38;
const OTHER_LAYERS =
  'the model was quantized by a version that builds its layers in another way; quantize it anew';

/**
 * A model as the bytes of a safetensors file: each weight in f32 and each buffer under its name in the state dict, and in the metadata the
 * layers, the input, for a quantized model the ranges of its tensors, and a SHA-256 over all of it. A quantized model is kept
 * with its f32 weights, so that it can be trained on; what is loaded has the same int8 bits.
 * Throws BiphaseError 'unsupported' for a model that is not made of layers of `nn`.
 */
export async function saveModel(
  model: AnyFrozen | AnyQuantized,
  options?: SaveOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const checked = checkSave(options);
  const frozen = model instanceof FrozenModel ? model : model.frozen;
  const known = factNotes(frozen, checked);
  const notes = { ...checked.notes, ...known };
  const twice = Object.keys(known).find((name) => checked.notes && name in checked.notes);
  if (twice) fail('invalid_argument', `saveModel: the note '${twice}' is what labels and normalize write`);
  const quantized = model instanceof FrozenModel ? undefined : model;
  expectFinite(frozen, 'saveModel');
  const tensors = Object.entries(frozen.stateDict()).map(([name, { shape, data }]) => ({
    name,
    shape,
    data,
  }));
  const file = writeSafetensors(tensors, {
    ...{ format: FORMAT, version: VERSION, layers: JSON.stringify(specOf(frozen.model)) },
    inputs: JSON.stringify(frozen.inputs),
    ...(quantized && {
      ranges: JSON.stringify([...quantized.ranges].map(([key, { min, max }]) => [key, min, max])),
    }),
    ...Object.fromEntries(Object.entries(notes).map(([name, text]) => [NOTE + name, text])),
    sha256: UNSEALED,
  });
  await seal(file);
  return file;
}

/**
 * Reads what `saveModel` wrote, or, given a model, the weights of any safetensors file (F32, F16, BF16 or F64) by their names in
 * its state dict; other names are taken where they can be meant in one way only, which `remarks` then tell.
 * All is checked before anything is handed out. Throws BiphaseError: 'invalid_data' for a file that is damaged or no model,
 * 'shape_mismatch' for weights that are not this model's, 'unsupported' for a newer version.
 */
export async function loadModel<I extends Values = Tensor, O extends Values = Tensor>(
  source: Bytes,
  options?: LoadOptions<I, O>,
): Promise<LoadedModel<I, O>> {
  return (await load(source, checkLoad(options))) as LoadedModel<I, O>;
}

async function load(source: Bytes, { model, input, inputs }: LoadOptions<Values, Values>): Promise<Loaded> {
  if (input && inputs)
    fail(
      'invalid_argument',
      'loadModel: got input and inputs; give the shape of one input, or types by name',
    );
  const file = bytesOf('loadModel', source);
  expectSafetensors(file);
  const { metadata, tensors } = parseSafetensors(file);
  if (metadata.format === FORMAT) return ownFile(file, metadata, tensors);
  if (metadata.format === 'biphase.checkpoint')
    fail(
      'invalid_data',
      'this file is a checkpoint of a training, not a model; load it with training.load()',
    );
  if (!model)
    return fail(
      'invalid_data',
      'this safetensors file does not say what its weights are of; give the model and its input',
    );
  const shape = input ?? inputOfSpec(typeof model === 'function' ? undefined : model.spec);
  const signature = inputs ?? (shape && { input: { dtype: 'f32', shape } as const });
  if (!signature)
    return fail(
      'invalid_data',
      "the model's layers don't say what their input is; give its shape as `input`, or types by name as `inputs`",
    );
  return foreignFile(model, signature, tensors);
}

/** A file of saveModel's. Whatever is in it, what is wrong is wrong with the file. */
async function ownFile(
  file: Uint8Array<ArrayBuffer>,
  metadata: Safetensors['metadata'],
  tensors: Safetensors['tensors'],
): Promise<Loaded> {
  if (!VERSIONS.includes(metadata.version))
    fail(
      'unsupported',
      `the model file has version '${metadata.version}'; this library reads ${VERSIONS.join(' and ')}`,
    );
  if (!(await isSealed(file)))
    fail('invalid_data', 'the model file is damaged: its SHA-256 is not that of its content');
  try {
    const layers = fromSpec(json('layers', metadata.layers), 'the model');
    const types = new Map(variablesOf(layers).map(({ name, variable }) => [name, variable.dtype]));
    const state: StateDict = Object.create(null);
    for (const [name, tensor] of tensors) {
      const dtype = types.get(name) ?? 'f32';
      if (tensor.dtype !== storedTypes[dtype])
        fail('invalid_data', `the weight ${show(name)} is ${tensor.dtype}, expected ${storedTypes[dtype]}`);
      state[name] = { shape: tensor.shape, data: elementsOf(tensor, dtype, name) };
    }
    const frozen = frozenOf(layers, inputsOf(metadata), state);
    // That the layers take this input, and each other's outputs.
    inferGraph(frozen, 1);
    const notes = notesOf(metadata);
    return { model: rangedOf(frozen, metadata) ?? frozen, notes, ...factsIn(notes), remarks: [] };
  } catch (error) {
    const { code, message } = error as BiphaseError;
    if (code === 'invalid_data' || message === OTHER_LAYERS) throw error;
    return fail('invalid_data', `the model file holds no model that works: ${message}`, { cause: error });
  }
}

/** Weights of other software, in a model of the caller's. */
function foreignFile(model: AnyModel, inputs: Signature, tensors: Safetensors['tensors']): Loaded {
  const variables = variablesOf(model);
  const names = new Set(variables.map((v) => v.name));
  // Whole numbers are taken for what they are called, in whichever layer.
  const types = new Map(variables.map(({ name, variable }) => [name.split('.').at(-1)!, variable.dtype]));
  const remarks: string[] = [];
  const ignored: string[] = [];
  const state: StateDict = Object.create(null);
  for (const [name, tensor] of tensors) {
    const dtype = types.get(name.split('.').at(-1)!) ?? 'f32';
    if (isReal(tensor) || names.has(name) || dtype !== 'f32')
      state[name] = { shape: tensor.shape, data: elementsOf(tensor, dtype, name) };
    else ignored.push(`${name} (${tensor.dtype})`);
  }
  if (ignored.length > 0) remarks.push(`left out, as they are no weights: ${ignored.join(', ')}`);
  const isOwn = Object.keys(state).length === names.size && [...names].every((name) => name in state);
  const other = isOwn ? undefined : renamed(variables, state);
  if (other) {
    const from = new Map(Object.entries(state).map(([name, { data }]) => [data, name]));
    const pairs = Object.entries(other).map(([name, { data }]) => `${from.get(data)} as ${name}`);
    remarks.push(`weights were taken by their shapes and numbers: ${pairs.join(', ')}`);
  }
  return { model: frozenOf(model, inputs, other ?? state), notes: {}, remarks };
}

const variablesOf = (model: AnyModel): FrozenVariable[] =>
  [...namedVariables(model)].map(([variable, name]) => ({ variable, name }));

function frozenOf(model: AnyModel, inputs: Signature, state: StateDict): AnyFrozen {
  const variables = variablesOf(model);
  const values = matchStateDict(variables, state);
  return new FrozenModel(model, inputs, variables, values);
}

function rangedOf(
  frozen: AnyFrozen,
  { version, ranges: text, signature = '' }: Readonly<Record<string, string>>,
): AnyQuantized | undefined {
  if (text === undefined) return undefined;
  const list = json('ranges', text);
  const isKey = (key: unknown) => (version === '1' ? Number.isSafeInteger(key) : typeof key === 'string');
  const isBound = (x: unknown) => typeof x === 'number' && Math.abs(x) <= MOST_F32;
  const isRange = (r: unknown) =>
    Array.isArray(r) && r.length === 3 && isKey(r[0]) && r.slice(1).every(isBound) && r[1] <= r[2];
  if (!Array.isArray(list) || !list.every(isRange)) return bad('ranges', text);
  const source = calibrationGraph(frozen, 1);
  const keyOf = version === '1' ? oldKeys(source, signature) : String;
  const ranges = new Map(
    (list as [number | string, number, number][]).map(([key, min, max]) => [keyOf(key), { min, max }]),
  );
  const keys = new Set(source.keys.values());
  if ([...ranges.keys()].some((key) => !keys.has(key))) fail('unsupported', OTHER_LAYERS);
  return quantizedModel(frozen, source, ranges);
}

/**
 * The keys of tensors by their numbers in a file of version 1. Its signature has a line for each op of the forward pass, `op
 * inputs outputs`, and is that of this model where the ops are.
 */
function oldKeys({ nodes, keys }: KeyedGraph, signature: string): (old: number | string) => string {
  const lines = signature.split('\n').map((line) => line.split(' '));
  if (lines.length !== nodes.length || lines.some(([op], i) => op !== nodes[i].op))
    fail('unsupported', OTHER_LAYERS);
  const ids = new Map<string, TensorId>();
  for (const [i, [, inputs = '', outputs = '']] of lines.entries())
    for (const [side, numbers] of [[nodes[i].inputs, inputs] as const, [nodes[i].outputs, outputs] as const])
      for (const [j, number] of numbers.split(',').entries()) ids.set(number, side[j]);
  return (old) => keys.get(ids.get(String(old)) ?? -1) ?? fail('unsupported', OTHER_LAYERS);
}

/** The types of a model's inputs; older files have the shape of one f32 input. */
function inputsOf({ inputs, input }: Readonly<Record<string, string>>): Signature {
  if (inputs === undefined) return { input: { dtype: 'f32', shape: inputOf(input) } };
  const signature = json('inputs', inputs);
  return isSignature(signature) ? (signature as Signature) : bad('inputs', inputs);
}

function inputOf(text: string | undefined): Shape {
  const shape = json('input', text);
  const isShape =
    Array.isArray(shape) && shape.length < MAX_RANK && shape.every((n) => Number.isSafeInteger(n) && n > 0);
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
