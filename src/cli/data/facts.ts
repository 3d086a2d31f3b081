import { BiphaseError, type data } from '../../node.ts';

/** What a model's outputs are: scores of classes, yes or no by their sign, or values. */
export type Task = 'classification' | 'binary' | 'regression';

/** What a model's numbers stand for: kept beside it in its file and in frozen files, so that every command treats data alike. */
export interface ModelFacts {
  readonly task?: Task;
  /** Of a classification one name for each output; of a single yes or no two: no, yes. */
  readonly classes?: readonly string[];
  /** Names of the inputs, one for each value of a sample. */
  readonly inputs?: readonly string[];
  /** Name of what was to be learned. */
  readonly target?: string;
  /** What it was trained on: bytes, or other numbers. */
  readonly type?: 'u8' | 'f32';
  /** The largest magnitude among the inputs that it was trained on, before the transform. */
  readonly largest?: number;
  /** What is done to inputs before the model sees them. */
  readonly transform?: data.Transform;
}

const TASKS: readonly unknown[] = ['classification', 'binary', 'regression'];
const isText = (x: unknown): x is string => typeof x === 'string';
const isTexts = (x: unknown): x is string[] => Array.isArray(x) && x.length > 0 && x.every(isText);
/** Finite in f32 as well: what is not would turn every input to NaN. */
const isFinite32 = (x: unknown): x is number => typeof x === 'number' && Number.isFinite(Math.fround(x));
const isFinite32s = (x: unknown): x is number[] => Array.isArray(x) && x.length > 0 && x.every(isFinite32);

function isTransform(x: unknown): x is data.Transform {
  if (typeof x !== 'object' || x === null) return false;
  const { scale, shift, mean, deviation } = x as Record<string, unknown>;
  if (scale !== undefined) return isFinite32(scale) && scale !== 0 && isFinite32(shift);
  return (
    isFinite32s(mean) &&
    isFinite32s(deviation) &&
    mean.length === deviation.length &&
    deviation.every((d) => d > 0)
  );
}

/** Each fact is a note of its own; what a sound one is. */
const sound: { readonly [K in keyof Required<ModelFacts>]: (x: unknown) => boolean } = {
  task: (x) => TASKS.includes(x),
  classes: isTexts,
  inputs: isTexts,
  target: isText,
  type: (x) => x === 'u8' || x === 'f32',
  largest: (x) => typeof x === 'number' && Number.isFinite(x) && x >= 0,
  transform: isTransform,
};

/** Notes for a model file or a frozen file: each fact that is known, as JSON under its name. */
export function notesOf(facts: ModelFacts): Record<string, string> {
  const text = (x: unknown) =>
    JSON.stringify(x, (_, value) => (ArrayBuffer.isView(value) ? Array.from(value as Float64Array) : value));
  return Object.fromEntries(
    Object.keys(sound).flatMap((name) => {
      const fact = facts[name as keyof ModelFacts];
      return fact === undefined ? [] : [[name, text(fact)]];
    }),
  );
}

/**
 * The facts among the notes of a file; other notes are left alone. `size` is the number of values of a sample.
 * Throws 'invalid_data' for a note that is no fact of its name, or does not fit the model.
 */
export function factsOf(path: string, notes: Readonly<Record<string, string>>, size: number): ModelFacts {
  const facts: Record<string, unknown> = {};
  for (const [name, isSound] of Object.entries(sound)) {
    if (notes[name] === undefined) continue;
    facts[name] = parse(notes[name]);
    if (!isSound(facts[name])) refuse(path, name, notes[name]);
  }
  const { inputs, transform, task, classes } = facts as ModelFacts;
  if (inputs && inputs.length !== size) refuse(path, 'inputs', `${inputs.length} names for ${size} values`);
  if (transform && 'mean' in transform && transform.mean.length !== size)
    refuse(path, 'transform', `${transform.mean.length} means for ${size} values`);
  if (classes && task === 'binary' && classes.length !== 2)
    refuse(path, 'classes', `${classes.length} names of yes and no`);
  return facts as ModelFacts;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refuse(path: string, name: string, found: string): never {
  const shown = plain(found.length > 80 ? `${found.slice(0, 80)}...` : found);
  throw new BiphaseError(
    'invalid_data',
    `${path}: its note '${name}' can't be used (${shown}); it was not written by this program, or changed since`,
  );
}

/** A text from a file as it may be printed: on one line, and without what a terminal takes for a command. */
export const plain = (text: string): string => text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ');
