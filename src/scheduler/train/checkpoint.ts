import { allocate, type TypedArray } from '../../core/dtype.ts';
import { type BiphaseError, fail } from '../../core/errors.ts';
import { sameShape, showShape, sizeOf } from '../../core/shape.ts';
import {
  elementsOf,
  parseSafetensors,
  type Safetensors,
  type StoredTensor,
  storedTypes,
  writeSafetensors,
} from '../../io/safetensors.ts';
import { isSealed, UNSEALED } from '../../io/seal.ts';
import type { Optimizer } from '../../optim/optimizer.ts';
import { lossAsIn, type Recipe } from '../../plans/recipe.ts';
import { type TrainPlan, trainSlots } from '../../plans/train.ts';
import { groupsOf, observedIn, otherGroups, textOf } from './checkpoint-optimizer.ts';
import { OTHER, type Stopping, stoppingIn, stoppingText } from './checkpoint-stopping.ts';
import { type DataPrint, difference, isPrint } from './data-print.ts';
import type { StreamPosition } from './feed.ts';
import { type Snapshot, stateSlots } from './snapshots.ts';

/** How far a fit is in its data: what gives the order of the samples, and the steps made of it. */
export interface FitPosition {
  readonly done: number;
  readonly batchSize: number;
  readonly seed: number;
  readonly shuffle: boolean;
  /** Whether samples that fill no whole batch are left out, as they always were before this was written down. */
  readonly dropLast: boolean;
  /** Samples in the data set. */
  readonly samples: number;
  /** Where it is in a stream. */
  readonly stream?: StreamPosition;
  /** What some of them are, where they are always the same. */
  readonly data?: DataPrint;
}

export interface Checkpoint {
  readonly snapshot: Snapshot;
  /** Undefined where no fit was under way. */
  readonly position: FitPosition | undefined;
  /** Of a fit with early stopping. */
  readonly stopping?: Stopping;
  /** What the epochs of the fit came to (see History). */
  readonly history?: string;
}

/** What a checkpoint is of, and must be loaded into. */
export interface CheckpointModel {
  readonly train: TrainPlan;
  readonly optimizer: Optimizer;
  readonly seed: number;
  /** What the model and the loss compute; undefined where that can't be told. */
  readonly recipe: Recipe | undefined;
}

const FORMAT = 'biphase.checkpoint';
/** 2 has another state beside the training's, for early stopping; all others are still 1. */
const VERSIONS = ['1', '2'];

/**
 * A checkpoint as a safetensors file: each parameter and buffer under its name in the state dict, each moment of the optimizer as
 * `optimizer.<moment>.<name>`, the same of the other state that early stopping keeps after `other:`, and in the metadata the step, seeds and position, and room for a SHA-256 over all of it,
 * which seal() puts there.
 */
export function encodeCheckpoint(
  { snapshot, position, stopping, history }: Checkpoint,
  { train, optimizer, seed, recipe }: CheckpointModel,
): Uint8Array<ArrayBuffer> {
  const names = storedNames(train);
  const tensorsOf = ({ states }: Snapshot, before = '') =>
    names.map(({ name, state, offset, shape, size }) => ({
      ...{ name: before + name, shape },
      data: states[state].subarray(offset, offset + size),
    }));
  const other = stopping?.other;
  const tensors = [...tensorsOf(snapshot), ...(other ? tensorsOf(other, OTHER) : [])];
  return writeSafetensors(tensors, {
    ...{ format: FORMAT, version: VERSIONS[other ? 1 : 0], step: String(snapshot.step), seed: String(seed) },
    optimizer: identityOf(optimizer),
    ...(optimizer.groups && { groups: groupsOf(train) }),
    ...(snapshot.observed?.length && { observed: textOf(snapshot.observed) }),
    ...(stopping && { stopping: stoppingText(stopping) }),
    ...(other?.observed?.length && { [`${OTHER}observed`]: textOf(other.observed) }),
    ...(history !== undefined && { history }),
    ...(recipe ? { recipe: JSON.stringify(recipe) } : {}),
    ...(position ? { position: JSON.stringify({ ...position, data: undefined }) } : {}),
    ...(position?.data ? { data: JSON.stringify(position.data) } : {}),
    sha256: UNSEALED,
  });
}

/**
 * Reads a checkpoint for this model, optimizer and seed. All is checked before anything is handed out: throws
 * 'invalid_data' for a file that is damaged or not a checkpoint, 'shape_mismatch' for another model's, 'invalid_argument'
 * for another optimizer's or seed's.
 */
export async function decodeCheckpoint(file: Uint8Array, model: CheckpointModel): Promise<Checkpoint> {
  const { metadata, tensors } = parseSafetensors(file);
  if (metadata.format !== FORMAT)
    fail('invalid_data', 'this safetensors file is not a checkpoint: its metadata have no such format');
  if (!VERSIONS.includes(metadata.version))
    fail(
      'invalid_data',
      `the checkpoint has version '${metadata.version}'; this library reads ${VERSIONS.join(' and ')}`,
    );
  if (!(await isSealed(file)))
    fail('invalid_data', 'the checkpoint is damaged: its SHA-256 is not that of its content');
  const { train, optimizer, seed } = model;
  differs('the optimizer', metadata.optimizer, identityOf(optimizer));
  for (const [what, saved, now] of otherGroups(metadata.groups, optimizer.groups && groupsOf(train)))
    differs(what, saved, now);
  differs("the training's seed", metadata.seed, String(seed));
  const stopping = metadata.stopping === undefined ? undefined : stoppingIn(metadata.stopping);
  const step = stopping?.other;
  const own = new Map<string, StoredTensor>();
  const others = new Map<string, StoredTensor>();
  for (const [name, tensor] of tensors)
    if (step !== undefined && name.startsWith(OTHER)) others.set(name.slice(OTHER.length), tensor);
    else own.set(name, tensor);
  const states = statesOf(own, train);
  sameRecipe(recipeIn(metadata.recipe), model.recipe);
  const snapshot = { step: stepOf(metadata.step), states, observed: observedIn(metadata.observed) };
  const observed = observedIn(metadata[`${OTHER}observed`]);
  const other = step === undefined ? undefined : { step, states: statesOf(others, train), observed };
  return {
    snapshot,
    position: positionOf(metadata.position, metadata.data),
    stopping: stopping && { ...stopping, other },
    history: metadata.history,
  };
}

/** Throws 'invalid_argument' unless a fit with these options goes through the data as the checkpoint's did. */
export function checkPosition(saved: FitPosition | undefined, now: Omit<FitPosition, 'done'>): FitPosition {
  if (!saved) return fail('invalid_argument', 'the checkpoint was not made by a fit; load() takes it');
  const kind = ({ stream }: Omit<FitPosition, 'done'>) => (stream ? 'a stream' : 'samples by position');
  differs("the fit's data", kind(saved), kind(now));
  for (const key of ['batchSize', 'seed', 'shuffle', 'samples'] as const)
    differs(`the fit's ${key}`, String(saved[key]), String(now[key]));
  if (now.stream || now.samples % now.batchSize)
    differs("the fit's dropLast", String(saved.dropLast), String(now.dropLast));
  const other = difference(saved.data, now.data);
  if (other) fail('invalid_argument', other);
  return saved;
}

export function differs(what: string, saved: string | undefined, now: string): void {
  if (saved !== now)
    fail('invalid_argument', `${what} was ${saved} when the checkpoint was made, and is ${now} now`);
}

function recipeIn(text: string | undefined): Recipe | undefined {
  if (text === undefined) return undefined;
  try {
    const { model, loss } = JSON.parse(text) as Recipe;
    if ([model, loss].every((lines) => Array.isArray(lines) && lines.every((l) => typeof l === 'string')))
      return { model, loss };
  } catch {}
  return fail(
    'invalid_data',
    `the checkpoint's recipe is '${text.slice(0, 80)}', expected a model's and a loss's`,
  );
}

function sameRecipe(saved: Recipe | undefined, now: Recipe | undefined): void {
  if (!saved || !now) return;
  const length = Math.max(saved.model.length, now.model.length);
  for (let i = 0; i < length; i++)
    differs(`operation ${i + 1} of the model`, saved.model[i] ?? 'none', now.model[i] ?? 'none');
  const [before, after] = changed(saved.loss, lossAsIn(saved, now));
  differs('the loss', before.join(', then '), after.join(', then '));
}

/** The lines that differ, of as many; else all. */
const changed = (before: readonly string[], after: readonly string[]) =>
  before.length === after.length
    ? [before.filter((line, i) => line !== after[i]), after.filter((line, i) => line !== before[i])]
    : [before, after];

/** What an optimizer does, but for its learning rate, which may be a function. */
const identityOf = ({ op, attrs }: Optimizer): string => JSON.stringify({ op, ...attrs });

/** Each variable under its name, then each moment of each parameter. */
function storedNames({ variables, update: { moments } }: TrainPlan) {
  const own = variables.map((v) => ({ ...v, state: v.slot }));
  const ofMoments = moments.flatMap((state) =>
    own
      .filter(({ slot }) => slot === trainSlots.parameters)
      .map((v) => ({ ...v, state, name: `optimizer.${state}.${v.name}` })),
  );
  return [...own, ...ofMoments].map(({ name, state, offset, variable: { dtype, shape, size } }) => ({
    ...{ name, state, offset, dtype, shape, size },
  }));
}

function statesOf(tensors: Safetensors['tensors'], train: TrainPlan): Snapshot['states'] {
  const names = storedNames(train);
  const unknown = [...tensors.keys()].filter((name) => !names.some((n) => n.name === name));
  const missing = names.filter(({ name }) => !tensors.has(name)).map(({ name }) => name);
  if (unknown.length || missing.length)
    fail(
      'shape_mismatch',
      `the checkpoint is another model's: missing ${missing.join(', ') || 'nothing'}; unknown ${unknown.join(', ') || 'nothing'}`,
    );
  // What no file holds is zero between two steps.
  const states: Record<string, TypedArray> = Object.fromEntries(
    stateSlots(train.plan.slots).map(({ name, dtype, shape }) => [name, allocate(dtype, sizeOf(shape))]),
  );
  for (const { name, state, offset, dtype, shape } of names) {
    const stored = tensors.get(name)!;
    const type = storedTypes[dtype];
    if (stored.dtype !== type || !sameShape(stored.shape, shape))
      fail(
        'shape_mismatch',
        `the checkpoint's '${name}' is ${stored.dtype} ${showShape(stored.shape)}, this model's is ${type} ${showShape(shape)}`,
      );
    states[state].set(elementsOf(stored, dtype, name), offset);
  }
  return states;
}

function stepOf(text: string | undefined): number {
  const step = Number(text);
  return text && Number.isSafeInteger(step) && step >= 0
    ? step
    : fail('invalid_data', `the checkpoint's step is '${text}', expected a whole number`);
}

function positionOf(text: string | undefined, print: string | undefined): FitPosition | undefined {
  if (text === undefined) return undefined;
  const bad = (cause?: BiphaseError): never =>
    fail('invalid_data', `the checkpoint's position is '${text}', expected that of a fit`, { cause });
  try {
    const {
      done,
      batchSize,
      seed,
      shuffle,
      dropLast = true,
      samples,
      stream,
    } = JSON.parse(text) as FitPosition;
    const data: unknown = print === undefined ? undefined : JSON.parse(print);
    const { pass = 0, batches = 0, key = 0 } = stream ?? {};
    const whole = [done, batchSize, samples, pass, batches, key].every(
      (n) => Number.isSafeInteger(n) && n >= 0,
    );
    if (!whole || !Number.isFinite(seed) || typeof shuffle !== 'boolean' || typeof dropLast !== 'boolean')
      bad();
    if (data !== undefined && !isPrint(data)) return bad();
    return { done, batchSize, seed, shuffle, dropLast, samples, stream, data };
  } catch (error) {
    return bad(error as BiphaseError);
  }
}
