import { dsvFormat } from 'd3-dsv';
import { BiphaseError, data } from '../node.ts';
import { read } from './files.ts';

/** Numbers of a file, and their shape; the first dimension counts samples. */
export interface Numbers {
  readonly path: string;
  readonly shape: readonly number[];
  /** Bytes stay bytes; everything else is f32. */
  readonly values: Uint8Array | Float32Array;
  /** Names of the columns, of a CSV file that has them. */
  readonly columns?: readonly string[];
}

const bad = (message: string): never => {
  throw new BiphaseError('invalid_data', message);
};

/** Reads an IDX, NPY or CSV file (or one of them in gzip); which it is, its content says. */
export async function readNumbers(path: string): Promise<Numbers> {
  const bytes = await read(path);
  if (bytes.length === 0) bad(`${path} is empty`);
  if (bytes[0] === 0x93) {
    const { shape, data: values } = data.parseNpy(bytes, path);
    return numbers(path, shape, values);
  }
  if (bytes[0] === 0 && bytes[1] === 0) {
    const { shape, data: values } = data.parseIdx(bytes, path);
    return numbers(path, shape, values);
  }
  return parseCsv(path, bytes);
}

function numbers(path: string, shape: readonly number[], values: ArrayLike<number | bigint>): Numbers {
  if (shape.length === 0 || shape[0] === 0) bad(`${path} holds no samples`);
  if (values instanceof Uint8Array || values instanceof Float32Array) return { path, shape, values };
  return { path, shape, values: Float32Array.from({ length: values.length }, (_, i) => Number(values[i])) };
}

/** Numbers in rows; a first row of anything else names the columns. Commas, semicolons or tabs between. */
function parseCsv(path: string, bytes: Uint8Array): Numbers {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return bad(`${path} is neither IDX, NPY nor text (CSV)`);
  }
  const begin = text.slice(0, text.search(/\n|$/));
  const delimiter = [';', '\t'].find((d) => begin.includes(d)) ?? ',';
  const rows = dsvFormat(delimiter).parseRows(text.trimEnd());
  const numeric = (row: readonly string[]) =>
    row.every((cell) => cell.trim() !== '' && Number.isFinite(Number(cell)));
  if (rows.length === 0) bad(`${path} holds no samples`);
  const named = !numeric(rows[0]);
  const width = rows[0].length;
  const body = named ? rows.slice(1) : rows;
  if (body.length === 0) bad(`${path} holds no samples`);
  const values = new Float32Array(body.length * width);
  body.forEach((row, i) => {
    const at = `${path}, row ${i + 1 + (named ? 1 : 0)}`;
    if (row.length !== width) bad(`${at}: it has ${row.length} fields, the first row has ${width}`);
    if (!numeric(row)) bad(`${at}: '${row.find((cell) => !numeric([cell]))}' is not a finite number`);
    values.set(row.map(Number), i * width);
  });
  return {
    path,
    shape: [body.length, width],
    values,
    ...(named && { columns: rows[0].map((c) => c.trim()) }),
  };
}

/** Takes one column out of a table: what is left, and the column. */
export function splitColumn(source: Numbers, wish: string | undefined): { input: Numbers; target: Numbers } {
  const { path, shape, values, columns } = source;
  const [rows, width] = shape;
  if (shape.length !== 2 || width < 2)
    bad(`${path} has the shape ${shape.join(' x ')}; give the labels in a file of their own (--labels)`);
  const at = wish === undefined ? width - 1 : columns ? columns.indexOf(wish) : Number(wish);
  if (!Number.isInteger(at) || at < 0 || at >= width)
    bad(`${path} has no column '${wish}'; it has ${columns?.join(', ') ?? `0 to ${width - 1}`}`);
  const kept = values.filter((_, i) => i % width !== at);
  const column = Float32Array.from({ length: rows }, (_, i) => values[i * width + at]);
  return {
    input: { path, shape: [rows, width - 1], values: kept },
    target: { path, shape: [rows], values: column },
  };
}

/** Class numbers: whole numbers from 0, one for each of `count` samples. */
export function classNumbers({ path, shape, values }: Numbers, count: number): Int32Array {
  if (values.length !== count || shape[0] !== count)
    bad(`${path} has ${shape.join(' x ')} labels, expected one for each of the ${count} samples`);
  const wrong = values.findIndex((x) => !Number.isInteger(x) || x < 0 || x >= 2 ** 20);
  if (wrong >= 0) bad(`${path}: label ${wrong} is ${values[wrong]}, expected a class number from 0`);
  return Int32Array.from(values);
}
