import type { LossName } from '../train/options.ts';
import { type Labels, listed } from './columns.ts';
import type { Task } from './facts.ts';
import { bad } from './source.ts';

/** What a model is to learn: what labels stand for, and which loss brings it there. */
export interface Target {
  readonly task: Task;
  readonly loss: LossName;
  /** Class numbers (i32), or values (f32), `width` for each sample. */
  readonly values: Int32Array | Float32Array;
  /** Values of one sample's target; 0 for a class number. */
  readonly width: number;
  /** Outputs that a model needs for it. */
  readonly outputs: number;
  /** Names of the classes, of labels that are classes. */
  readonly classes?: readonly string[];
  readonly name?: string;
  readonly remarks: readonly string[];
}

/** A class has a few samples at least, or there are few of them. */
const FEW = 10;
/** So many classes may have gaps between their numbers, if each has some samples. */
const SOME = 20;

/**
 * Decides what labels are. Texts and whole numbers that look like classes are classes, unless the loss wants values; what is in
 * doubt is refused, with the options that settle it. `outputs` is how many the model has, where it is given.
 */
export function decide(labels: Labels, wish: LossName | undefined, outputs?: number): Target {
  const { name, width } = labels;
  const loss = wish ?? guess(labels);
  const target = { loss, ...(name && { name }) };
  if (loss === 'mse' || loss === 'huber') {
    const values = valuesOf(labels);
    return { ...target, task: 'regression', values, width, outputs: width, remarks: labels.remarks };
  }
  if (loss === 'bce-with-logits') return { ...target, ...yesOrNo(labels), task: 'binary', loss };
  const { numbers, classes, remarks } = classesOf(labels, outputs);
  return {
    ...{ ...target, task: 'classification', values: numbers, width: 0, outputs: classes.length, classes },
    remarks: [...labels.remarks, ...remarks],
  };
}

const isWhole = (cell: number | string) => Number.isInteger(cell);

function guess(labels: Labels): LossName {
  const { path, cells, width, several } = labels;
  if (width > 1) {
    if (!several && (isOneHot(labels) || !cells.every(isWhole)))
      return isOneHot(labels) ? 'cross-entropy' : 'mse';
    bad(
      `${path} has ${width} columns; expected one label for each sample. --target names the column that holds them; ` +
        '--loss mse takes all of them as values to come close to',
    );
  }
  if (labels.classes) return 'cross-entropy';
  const text = cells.findIndex((c) => typeof c === 'string');
  if (text >= 0 && cells.some((c) => typeof c === 'number'))
    bad(
      labels.wrong(
        text,
        `'${cells[text]}' is not a finite number, and other labels are; --loss cross-entropy takes all as names of classes`,
      ),
    );
  if (text >= 0) return 'cross-entropy';
  if (!cells.every(isWhole)) return 'mse';
  if (looksLikeClasses(cells as number[])) return 'cross-entropy';
  return bad(
    `${where(labels)}: ${new Set(cells).size} different whole numbers (such as ${listed(examples(cells))}) for ${labels.count} samples ` +
      'look like values, not like classes. Give --loss mse to come close to them, or --loss cross-entropy if they are classes',
  );
}

const where = ({ path, name }: Labels) => (name ? `${path}, column '${name}'` : path);
const examples = (cells: readonly (number | string)[]) => [...new Set(cells)].slice(0, 4).map(String);

function looksLikeClasses(cells: readonly number[]): boolean {
  const distinct = [...new Set(cells)];
  const count = distinct.length;
  if (count <= 2) return true;
  if (count === cells.length) return false;
  const least = distinct.reduce((a, b) => Math.min(a, b));
  const most = distinct.reduce((a, b) => Math.max(a, b));
  const inOrder = (least === 0 || least === 1) && most - least + 1 === count;
  return inOrder ? count <= FEW || cells.length >= 2 * count : count <= SOME && cells.length >= 3 * count;
}

const isOneHot = ({ cells, width }: Labels): boolean =>
  cells.every((c) => c === 0 || c === 1) &&
  Array.from({ length: cells.length / width }, (_, i) => cells.slice(i * width, (i + 1) * width)).every(
    (row) => row.filter((c) => c === 1).length === 1,
  );

interface Classes {
  readonly numbers: Int32Array;
  readonly classes: readonly string[];
  readonly remarks: readonly string[];
}

/** Numbers from 0 for labels that are classes, in the order of the numbers or of the names that they have in the file. */
function classesOf(labels: Labels, outputs?: number): Classes {
  const { cells, width, count } = labels;
  if (width > 1) {
    if (!isOneHot(labels))
      bad(`${labels.path} has ${width} columns; expected one class for each sample (or one 1 among zeros)`);
    const numbers = Int32Array.from({ length: count }, (_, i) =>
      cells.slice(i * width, (i + 1) * width).indexOf(1),
    );
    return {
      numbers,
      classes: Array.from({ length: width }, (_, i) => `${i}`),
      remarks: ['one column for each class'],
    };
  }
  if (cells.every((c) => typeof c === 'number')) return numberedClasses(labels, cells as number[], outputs);
  const names = cells.map(String);
  const classes = [...new Set(names)].sort();
  refuseTooMany(labels, classes.length);
  const numberOf = new Map(classes.map((n, i) => [n, i]));
  return { numbers: Int32Array.from(names, (n) => numberOf.get(n)!), classes, remarks: lone(classes) };
}

function numberedClasses(labels: Labels, cells: readonly number[], outputs?: number): Classes {
  const broken = cells.findIndex((c) => !isWhole(c));
  if (broken >= 0)
    bad(
      labels.wrong(
        broken,
        `the label is ${cells[broken]}, expected a class (a whole number or a name); --loss mse is for values`,
      ),
    );
  const found = [...new Set(cells)].sort((a, b) => a - b);
  const [least, most] = [found[0], found[found.length - 1]];
  if (labels.classes) {
    if (least < 0 || most >= labels.classes.length)
      bad(
        `${labels.path} names ${labels.classes.length} classes, and has the label ${least < 0 ? least : most}`,
      );
    return { numbers: Int32Array.from(cells), classes: labels.classes, remarks: [] };
  }
  refuseTooMany(labels, found.length);
  // Layers with an output for every number from 0: each is the class of that number.
  const all = least >= 0 && outputs !== undefined && most < outputs && outputs > found.length;
  const classes = all ? Array.from({ length: outputs }, (_, i) => `${i}`) : found.map(String);
  const numberOf = new Map(all ? [] : found.map((n, i) => [n, i]));
  const gaps = most - least + 1 - found.length;
  return {
    numbers: Int32Array.from(cells, (c) => (all ? c : numberOf.get(c)!)),
    classes,
    remarks: [
      ...lone(found),
      ...(gaps > 0 && found.length > 2 ? [`of the numbers ${least} to ${most} ${gaps} don't occur`] : []),
    ],
  };
}

function refuseTooMany(labels: Labels, classes: number): void {
  if (classes > 2 && (classes === labels.count || (classes > 1000 && labels.count < 2 * classes)))
    bad(
      `${where(labels)}: ${classes} different labels (such as ${listed(examples(labels.cells))}) for ${labels.count} samples are no classes; ` +
        'give the column that holds the labels (--target), or --loss mse for values to come close to',
    );
}

const lone = (classes: readonly unknown[]): string[] =>
  classes.length === 1 ? [`all samples are of the class ${classes[0]}: there is nothing to tell apart`] : [];

/** Yes or no: two classes as 0 and 1, or numbers from 0 to 1 as they are, one or several for each sample. */
function yesOrNo(labels: Labels): Pick<Target, 'values' | 'width' | 'outputs' | 'classes' | 'remarks'> {
  const { cells, width } = labels;
  const outside = cells.findIndex((c) => typeof c === 'string' || c < 0 || c > 1);
  if (outside < 0) {
    const classes = width === 1 && cells.every(isWhole) ? ['0', '1'] : undefined;
    const values = Float32Array.from(cells as number[]);
    return {
      values,
      width,
      outputs: width,
      ...(classes && { classes }),
      remarks: [...labels.remarks, ...lone([...new Set(cells)])],
    };
  }
  const found = new Set(cells).size;
  if (width > 1 || found > 2 || !cells.every((c) => typeof c === 'string' || isWhole(c)))
    bad(
      labels.wrong(
        outside,
        `the label is ${cells[outside]}; bce-with-logits needs two classes, or numbers from 0 to 1`,
      ),
    );
  const { numbers, classes, remarks } = classesOf(labels);
  if (found < 2) bad(`${where(labels)}: all labels are ${cells[0]}; bce-with-logits needs two classes`);
  return {
    values: Float32Array.from(numbers),
    width: 1,
    outputs: 1,
    classes,
    remarks: [...labels.remarks, ...remarks],
  };
}

export function valuesOf({ cells, wrong }: Pick<Labels, 'cells' | 'wrong'>): Float32Array {
  const text = cells.findIndex((c) => typeof c === 'string');
  if (text >= 0)
    bad(wrong(text, `'${cells[text]}' is not a number; --loss cross-entropy is for classes with names`));
  return Float32Array.from(cells as number[]);
}
