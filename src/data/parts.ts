import { whole } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import { expectValue } from '../core/options.ts';
import { showShape } from '../core/shape.ts';
import { type AnySamples, isStream, typesOf } from './batches.ts';
import { type AnyDataSet, type Arrays, asNamedLike, named, subset } from './dataset.ts';
import { type Rows, type RowTypes, rowsFrom } from './rows.ts';
import type { StreamDataSet } from './stream.ts';

/** The rows of each pass from `start` up to `end`. */
function between(stream: StreamDataSet, start: number, end: number): StreamDataSet {
  const { length } = stream;
  return {
    ...stream,
    ...(length === undefined ? {} : { length: Math.max(0, Math.min(end, length) - start) }),
    async *rows(pass) {
      let first = 0;
      for await (const rows of stream.rows(pass)) {
        const [from, to] = [Math.max(0, start - first), Math.min(rows.count, end - first)];
        if (from === 0 && to === rows.count) yield rows;
        else if (from < to) yield rowsFrom(rows, from, to - from);
        first += rows.count;
        if (first >= end) return;
      }
    },
  };
}

/** The first `count` samples; of a stream the first rows of each pass, all of them where it has fewer. Throws 'out_of_range' for a data set with fewer. */
export function take<D extends AnySamples>(data: D, count: number): D {
  if (!isStream(data)) return subset(data as AnyDataSet, 0, count) as D;
  expectValue('take', 'count', count, whole(1));
  return between(data, 0, count) as AnySamples as D;
}

/** All but the first `count` samples; of a stream without the first rows of each pass. Throws 'out_of_range' where a data set has no more than that. */
export function skip<D extends AnySamples>(data: D, count: number): D {
  expectValue('skip', 'count', count, whole(0));
  return (
    isStream(data) ? between(data, count, Infinity) : subset(data as AnyDataSet, count, data.length!)
  ) as D;
}

/** Several data sets, or several streams, one behind the other. Throws 'shape_mismatch' where their types differ. */
export function concat<D extends AnySamples>(first: D, ...others: readonly D[]): D {
  const all: readonly AnySamples[] = [first, ...others];
  const types = typesOf(first);
  const other = others
    .map(typesOf)
    .map(show)
    .find((text) => text !== show(types));
  if (other !== undefined)
    fail('shape_mismatch', `concat: got ${show(types)}, and then ${other}; expected the same types`);
  const streams = all.filter(isStream);
  if (streams.length === all.length) {
    const lengths = streams.map(({ length = Number.NaN }) => length).reduce((a, b) => a + b);
    return {
      ...types,
      ...(lengths >= 0 && { length: lengths }),
      async *rows(pass: number): AsyncGenerator<Rows, void, void> {
        for (const stream of streams) yield* stream.rows(pass);
      },
    } as AnySamples as D;
  }
  if (streams.length > 0)
    fail('invalid_argument', 'concat: got data sets and streams, expected one kind of them');
  const sets = all.map((data) => named(data as AnyDataSet));
  const starts = sets.map((_, k) => sets.slice(0, k).reduce((sum, { length }) => sum + length, 0));
  const length = sets.reduce((sum, set) => sum + set.length, 0);
  return asNamedLike(first as AnyDataSet, {
    ...{ ...types, length },
    async gather(indices: ArrayLike<number>, inputs: Arrays, targets: Arrays) {
      const into = { count: indices.length, inputs, targets };
      for (let at = 0; at < indices.length; ) {
        const set = starts.findLastIndex((start) => start <= indices[at]);
        if (set < 0 || indices[at] >= length)
          fail('out_of_range', `sample ${indices[at]} was asked for; the data sets have ${length}`);
        const local: number[] = [];
        const start = at;
        const within = (i: number) => i >= starts[set] && i < starts[set] + sets[set].length;
        for (; at < indices.length && within(indices[at]); at++) local.push(indices[at] - starts[set]);
        const place = rowsFrom(into, start, local.length);
        await sets[set].gather(local, place.inputs, place.targets);
      }
    },
  }) as D;
}

/** Types in messages. */
const show = ({ inputs, targets }: RowTypes): string =>
  [inputs, targets]
    .map((types) => {
      const names = Object.keys(types).sort();
      return names.map((name) => `${name} ${types[name].dtype} ${showShape(types[name].shape)}`).join(', ');
    })
    .join(' for ');
