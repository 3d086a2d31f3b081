import { flag } from '../core/checks.ts';
import type { TypedArray } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { optionsOf } from '../core/options.ts';
import { type AnySamples, isStream, typesOf } from './batches.ts';
import { type Arrays, asNamedLike, named } from './dataset.ts';
import { arraysFor, copyRows, type Rows, type RowsGiven, rowsFrom, rowsOf } from './rows.ts';
import { type StreamDataSet, type StreamOptions, typeChecks, typesIn } from './stream.ts';

/** What map() gives a function: one row, or several one after the other. */
export interface MappedRows extends Rows {
  /** The only input, where it has no name. */
  readonly input: TypedArray;
  /** The only target, where it has no name. */
  readonly target: TypedArray;
}

/** What a function makes of rows: what it does not give stays as it was. */
export type RowFunction = (rows: MappedRows, index: number) => RowsGiven | Promise<RowsGiven>;

/** Options of map(): types that rows have afterwards, where they are others. */
export interface MapOptions extends Omit<StreamOptions, 'length'> {
  /** Give the function as many rows as come together (a batch, of samples by position) instead of one at a time; false if not given. */
  readonly batched?: boolean;
}

const check = optionsOf<MapOptions>('map', { ...typeChecks, batched: flag });

/**
 * The data with what a function of the caller's makes of its rows, such as another scale, a crop, numbers for words: asked whenever rows
 * are, on the host. `index` is the position of the (first) row in the data set, or in the pass of a stream.
 * Throws 'shape_mismatch' where the function gives another number of rows than it got, and the errors of fromStream for other types.
 */
export function map<D extends AnySamples>(data: D, fn: RowFunction, given?: MapOptions): D {
  const options = check(given);
  const before = typesOf(data);
  const types = typesIn('map', options, before);
  const few = async (rows: Rows, index: number): Promise<Rows> => {
    const { inputs, targets } = rows;
    const row: MappedRows = { ...rows, input: inputs.input, target: targets.target };
    const made = rowsOf(`map's row ${index}`, { ...row, ...(await fn(row, index)) }, types);
    return made.count === rows.count
      ? made
      : fail(
          'shape_mismatch',
          `map: the function made ${made.count} rows of ${rows.count}, from row ${index} on; expected as many`,
        );
  };
  async function* each(rows: Rows, indexOf: (i: number) => number): AsyncGenerator<Rows, void, void> {
    if (options.batched) yield await few(rows, indexOf(0));
    else for (let i = 0; i < rows.count; i++) yield await few(rowsFrom(rows, i, 1), indexOf(i));
  }
  if (isStream(data)) {
    const stream: StreamDataSet = data;
    return {
      ...stream,
      ...types,
      async *rows(pass: number) {
        let first = 0;
        for await (const rows of stream.rows(pass)) {
          yield* each(rows, (i) => first + i);
          first += rows.count;
        }
      },
    } as AnySamples as D;
  }
  const set = named(data);
  return asNamedLike(data, {
    ...{ ...types, length: set.length },
    async gather(indices: ArrayLike<number>, inputs: Arrays, targets: Arrays) {
      const rows = arraysFor(before, indices.length);
      await set.gather(indices, rows.inputs, rows.targets);
      let at = 0;
      for await (const made of each(rows, (i) => indices[i])) {
        copyRows(made, { inputs, targets }, at);
        at += made.count;
      }
    },
  }) as D;
}
