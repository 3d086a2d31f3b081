import type { Labels } from './columns.ts';
import type { ModelFacts } from './facts.ts';
import { plain } from './facts.ts';
import { bad } from './source.ts';
import { valuesOf } from './target.ts';

/** Outputs of a model, `width` for each sample. */
export interface Outputs {
  readonly values: Float32Array;
  readonly width: number;
}

/** What outputs come to, by the model's task: a class number for each sample, yes or no for each output, or values. */
export type Answers =
  | { readonly kind: 'classes'; readonly classes: Int32Array }
  | { readonly kind: 'signs'; readonly classes: Int32Array }
  | { readonly kind: 'values' };

/** Where an output is NaN there is no class: -1. */
export function answersOf({ task }: ModelFacts, { values, width }: Outputs): Answers {
  if (task === 'binary')
    return { kind: 'signs', classes: Int32Array.from(values, (x) => (Number.isNaN(x) ? -1 : +(x > 0))) };
  // One output alone is no score among others.
  if (task === 'regression' || (task === undefined && width === 1)) return { kind: 'values' };
  const count = values.length / width;
  const classes = Int32Array.from({ length: count }, (_, i) =>
    largestAt(values.subarray(i * width, (i + 1) * width)),
  );
  return { kind: 'classes', classes };
}

/** Position of the largest, the first of equals; -1 where one is NaN, and so none the largest. */
function largestAt(row: Float32Array): number {
  let best = 0;
  for (let i = 0; i < row.length; i++) {
    if (Number.isNaN(row[i])) return -1;
    if (row[i] > row[best]) best = i;
  }
  return best;
}

/** A class as it is printed: its name, or its number; -1 for none. */
export const className = ({ classes }: ModelFacts, number: number): string =>
  plain(classes?.[number] ?? String(number));

/** Checks that the facts of a model are about so many outputs. */
export function checkOutputs(path: string, { task, classes }: ModelFacts, width: number): void {
  if (classes && classes.length !== (task === 'binary' ? 2 * width : width))
    bad(`${path} names ${classes.length} classes and has ${width} outputs`);
}

/** How good answers are: the share that is right, or how far values are off. */
export type Score =
  | { readonly right: number; readonly of: number; readonly accuracy: number }
  | { readonly meanSquaredError: number };

/** Compares answers with what was expected: class numbers, or values, as many as there are. */
export function score(facts: ModelFacts, outputs: Outputs, expected: ArrayLike<number>): Score {
  const answers = answersOf(facts, outputs);
  if (answers.kind === 'values') {
    let sum = 0;
    outputs.values.forEach((y, i) => {
      sum += (y - expected[i]) ** 2;
    });
    return { meanSquaredError: sum / outputs.values.length };
  }
  // Labels between no and yes count as the nearer one.
  const wanted = (i: number) => (answers.kind === 'signs' ? +(expected[i] > 0.5) : expected[i]);
  const right = answers.classes.reduce((sum, c, i) => sum + +(c === wanted(i)), 0);
  return { right, of: answers.classes.length, accuracy: right / answers.classes.length };
}

export const scored = (s: Score): string =>
  'accuracy' in s
    ? `${(s.accuracy * 100).toFixed(2)} % right`
    : `mean squared error ${s.meanSquaredError.toPrecision(4)}`;

/** Labels as `score` compares them: by the names of the model's classes, by number where it has none. */
export function expectedOf(facts: ModelFacts, labels: Labels, { width, values }: Outputs): ArrayLike<number> {
  const { path, count, cells, wrong } = labels;
  const samples = values.length / width;
  if (count !== samples) bad(`${path} has ${count} labels, expected one for each of the ${samples} samples`);
  const { kind } = answersOf(facts, { width, values: values.subarray(0, width) });
  const byClass = kind === 'classes' || (kind === 'signs' && width === 1 && facts.classes !== undefined);
  if (!byClass) {
    if (labels.width !== width)
      bad(`${path} has ${labels.width} labels for each sample, the model has ${width} outputs`);
    return valuesOf(labels);
  }
  if (labels.width === width && width > 1)
    return Int32Array.from({ length: count }, (_, i) => cells.slice(i * width, (i + 1) * width).indexOf(1));
  if (labels.width !== 1) bad(`${path} has ${labels.width} labels for each sample, expected one class`);
  const names = facts.classes ?? Array.from({ length: width }, (_, i) => String(i));
  const numbers = new Map(names.map((name, i) => [name, i]));
  // Numbers for classes whose names are words: their numbers, from 0.
  const worded = !names.some((name) => name.trim() !== '' && Number.isFinite(Number(name)));
  return Int32Array.from(cells, (cell, i) => {
    const own = typeof cell === 'number' ? labels.classes?.[cell] : undefined;
    const found = numbers.get(own ?? String(cell)) ?? (worded && isIndex(cell, names) ? cell : undefined);
    return (
      found ?? bad(wrong(i, `the label is ${cell}, the model's classes are ${names.slice(0, 20).join(', ')}`))
    );
  });
}

const isIndex = (cell: number | string, names: readonly string[]): cell is number =>
  typeof cell === 'number' && Number.isInteger(cell) && cell >= 0 && cell < names.length;
