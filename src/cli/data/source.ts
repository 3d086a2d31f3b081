import { BiphaseError } from '../../node.ts';

/** What a file of data holds, before it is decided what it stands for. The first dimension counts samples. */
export interface Source {
  readonly path: string;
  readonly shape: readonly number[];
  /** Bytes and bools are kept as bytes, f32 as f32, all other numbers as f64. NaN where a text stands. */
  readonly values: Uint8Array | Float32Array | Float64Array;
  readonly type: 'u8' | 'bool' | 'number';
  /** Cells of a CSV file that are no numbers, by their position among the values. */
  readonly texts?: ReadonlyMap<number, string>;
  /** Names of the columns, of a CSV file that has them. */
  readonly columns?: readonly string[];
  /** Names of the classes that its last column numbers, where the file says them. */
  readonly classes?: readonly string[];
  /** The line that a row of a CSV file is in, counted from 1. */
  readonly lines?: readonly number[];
  /** What was understood of the file that its user may not expect. */
  readonly remarks: readonly string[];
}

export type Header = 'auto' | 'yes' | 'no';

export const bad = (message: string): never => {
  throw new BiphaseError('invalid_data', message);
};

/** Values of one sample. */
export const widthOf = ({ shape }: Pick<Source, 'shape'>): number =>
  shape.slice(1).reduce((a, b) => a * b, 1);

/** A column's name for people: its own, or its number from 0. */
export const columnName = ({ columns }: Pick<Source, 'columns'>, column: number): string =>
  columns?.[column] ? `column '${columns[column]}'` : `column ${column}`;

/** What is wrong with a value, and where it stands: the row of a CSV file and its column, or the position in an array. */
export function wrongAt(source: Source, at: number, what: string): string {
  const width = widthOf(source);
  const [row, column] = [Math.floor(at / width), at % width];
  if (source.lines)
    return `${source.path}, row ${source.lines[row]}: ${what} (${columnName(source, column)})`;
  const index = source.shape.map((size, axis) => {
    const inner = source.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    return Math.floor(at / inner) % size;
  });
  return `${source.path}, [${index.join(', ')}]: ${what}`;
}

/** What stands at a position, as its file spells it. */
export const cellAt = ({ texts, values }: Source, at: number): string | number =>
  texts?.get(at) ?? values[at];
