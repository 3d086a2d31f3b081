import { isMissing } from './cells.ts';
import { bad, cellAt, type Source, widthOf, wrongAt } from './source.ts';

/** Names that pandas gives to a column that only numbers the rows. */
const INDEX_NAMES = ['', 'Unnamed: 0'];

/** The number of a column, by its name or its number from 0. Throws 'invalid_data' where there is none, or two. */
export function columnOf(source: Source, wish: string): number {
  const { path, columns, shape } = source;
  const width = widthOf(source);
  if (wish.trim() === '')
    bad(`--target is empty; expected a column of ${path}: its name, or its number from 0`);
  if (shape.length !== 2) bad(`${path} has the shape ${shape.join(' x ')}, and so no columns for --target`);
  const named = (columns ?? []).flatMap((name, i) => (name === wish.trim() ? [i] : []));
  if (named.length > 1) bad(`${path} has ${named.length} columns named '${wish}'; give the number of one`);
  const column = named[0] ?? (/^\d+$/.test(wish.trim()) ? Number(wish) : -1);
  if (column < 0 || column >= width)
    bad(
      `${path} has no column '${wish}'; it has ${columns ? `${listed(columns)}, or by number ` : ''}0 to ${width - 1}`,
    );
  return column;
}

/** The columns that hold something: without the first where it is pandas' index. */
export function columnsOf(source: Source): { columns: number[]; index: boolean } {
  const width = widthOf(source);
  const { columns: names } = source;
  const index = width > 1 && names !== undefined && INDEX_NAMES.includes(names[0]) && numbersRows(source);
  return { columns: Array.from({ length: width - +index }, (_, i) => i + +index), index };
}

/** Whether the first column holds whole numbers, each once (in order where it has no name). */
export function numbersRows(source: Source): boolean {
  const width = widthOf(source);
  const count = source.shape[0];
  const first = Array.from({ length: count }, (_, i) => source.values[i * width]);
  if (source.columns) return first.every(Number.isInteger) && new Set(first).size === count;
  return first.every((x, i) => x === i + first[0]) && (first[0] === 0 || first[0] === 1);
}

/** The labels of a file, one or several for each sample, as their file spells them. */
export interface Labels {
  readonly path: string;
  readonly name?: string;
  readonly count: number;
  /** Labels of one sample. */
  readonly width: number;
  readonly cells: readonly (number | string)[];
  /** Names of the classes that they number, where the file says them. */
  readonly classes?: readonly string[];
  /** Whether the file is a table whose column was not chosen by name or number. */
  readonly several: boolean;
  /** What is wrong with a label, and where it stands. */
  readonly wrong: (i: number, what: string) => string;
  readonly remarks: readonly string[];
}

/** One column of a table as labels. */
export function columnLabels(source: Source, column: number): Labels {
  const width = widthOf(source);
  const last = column === width - 1;
  const at = (i: number) => i * width + column;
  const name = source.columns?.[column];
  return {
    ...{ path: source.path, count: source.shape[0], width: 1, several: false, remarks: [] },
    ...(name && { name }),
    ...(last && source.classes && { classes: source.classes }),
    cells: checked(
      source,
      Array.from({ length: source.shape[0] }, (_, i) => at(i)),
    ),
    wrong: (i, what) => wrongAt(source, at(i), what),
  };
}

/** All of a file as labels: one column, or several values for each sample. An index beside one column is left out. */
export function labelsOf(source: Source, wish: string | undefined): Labels {
  const width = widthOf(source);
  if (wish !== undefined && (width > 1 || source.columns))
    return columnLabels(source, columnOf(source, wish));
  const { columns, index } = columnsOf(source);
  const unnamed = !source.columns && source.lines && width === 2 && numbersRows(source);
  const remarks = index || unnamed ? ["its first column only numbers the rows and isn't used"] : [];
  if (columns.length === 1 || unnamed)
    return { ...columnLabels(source, width - 1), remarks: [...source.remarks, ...remarks] };
  const at = (i: number) => Math.floor(i / columns.length) * width + columns[i % columns.length];
  const cells = Array.from({ length: source.shape[0] * columns.length }, (_, i) => at(i));
  return {
    ...{ path: source.path, count: source.shape[0], width: columns.length },
    several: source.lines !== undefined,
    remarks: [...source.remarks, ...remarks],
    cells: checked(source, cells),
    wrong: (i, what) => wrongAt(source, at(i), what),
  };
}

/** Labels at these positions; refuses those that are missing or that f32 can't hold. */
function checked(source: Source, positions: readonly number[]): (number | string)[] {
  return positions.map((at) => {
    const cell = cellAt(source, at);
    if (typeof cell === 'string' ? isMissing(cell) : !Number.isFinite(Math.fround(cell)))
      bad(wrongAt(source, at, `the label is ${spelled(cell)}; expected a class or a finite f32 number`));
    return cell;
  });
}

const spelled = (cell: number | string): string =>
  cell === '' ? 'empty' : typeof cell === 'number' ? `${cell}` : `'${cell}'`;

/** The values of some columns, row by row. Refuses texts, and what `allowed` does not allow. */
export function numbersIn(
  source: Source,
  columns: readonly number[],
  allowNaN: boolean,
): Float32Array | Uint8Array {
  const { values, texts, shape } = source;
  const width = widthOf(source);
  const whole = columns.length === width && columns.every((c, i) => c === i);
  if (values instanceof Uint8Array && whole) return values;
  const taken =
    values instanceof Uint8Array
      ? new Uint8Array(shape[0] * columns.length)
      : new Float32Array(shape[0] * columns.length);
  for (let row = 0, to = 0; row < shape[0]; row++)
    for (const column of columns) {
      const at = row * width + column;
      const x = values[at];
      taken[to++] = x;
      const lost = !Number.isFinite(Math.fround(x));
      if (!lost || (allowNaN && !texts?.has(at) && !(Number.isFinite(x) || source.lines))) continue;
      bad(wrongAt(source, at, refusal(source, at)));
    }
  return taken;
}

/** Why a cell is no input. */
function refusal(source: Source, at: number): string {
  const cell = cellAt(source, at);
  if (typeof cell === 'number')
    return Number.isFinite(cell) || source.lines
      ? `${cell} is more than f32 holds (3.4e38); expected smaller numbers, scale them first`
      : `${cell} is not a finite number`;
  if (cell === '') return 'the cell is empty; expected a number. Fill it, or leave the row out';
  const first = source.lines?.[0] === 1 && at < widthOf(source);
  const header = ', and the row no header, since one of its cells is a number (--header yes makes it one)';
  const labels = first || isMissing(cell) ? '' : '; if this column holds the labels, --target names it';
  return `'${cell}' is not a finite number${first ? header : labels}`;
}

/** Names, as many as fit in a line. */
export const listed = (names: readonly string[], most = 6): string =>
  names.length > most ? `${names.slice(0, most - 1).join(', ')}, ... ${names.at(-1)}` : names.join(', ');
