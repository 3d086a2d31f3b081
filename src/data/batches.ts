import { type AnyDataSet, type Arrays, named } from './dataset.ts';
import { arraysFor, copyRows, type Rows, type RowTypes, rowsFrom } from './rows.ts';
import type { StreamDataSet } from './stream.ts';

/** What can be trained on, evaluated and predicted: samples by position, or rows one after the other. */
export type AnySamples = AnyDataSet | StreamDataSet;

/** Whether rows come one after the other. */
export const isStream = (data: AnySamples): data is StreamDataSet => 'rows' in data;

/** Types of a data set of any kind by names: one without is `{ input }` and `{ target }`. */
export const typesOf = (data: AnySamples): RowTypes => (isStream(data) ? data : named(data));

/** Rows of a pass in batches of `size`, each in arrays of its own; the last one may be smaller, or is left out. */
export async function* batchesOf(
  stream: StreamDataSet,
  pass: number,
  size: number,
  dropLast = false,
): AsyncGenerator<Rows & { readonly first: number }, void, void> {
  let first = 0;
  let at = 0;
  let batch: Rows | undefined;
  for await (const rows of stream.rows(pass))
    for (let from = 0; from < rows.count; ) {
      batch ??= arraysFor(stream, size);
      const count = Math.min(size - at, rows.count - from);
      copyRows(count === rows.count ? rows : rowsFrom(rows, from, count), batch, at);
      from += count;
      at += count;
      if (at < size) continue;
      yield { ...batch, first };
      first += at;
      at = 0;
      batch = undefined;
    }
  if (batch && !dropLast) yield { ...rowsFrom(batch, 0, at), first };
}

/** Some samples: their positions in the data set or the pass, and what copies them. */
export interface SomeSamples {
  readonly samples: Uint32Array<ArrayBuffer>;
  readonly fill: (inputs: Arrays, targets: Arrays) => void | Promise<void>;
}

const from = (first: number, count: number) => Uint32Array.from({ length: count }, (_, i) => first + i);

/** A batch of a stream as samples with positions. */
export const samplesIn = (batch: Rows & { readonly first: number }): SomeSamples => ({
  samples: from(batch.first, batch.count),
  fill: (inputs, targets) => copyRows(batch, { inputs, targets }),
});

/** All samples in order, `size` at a time; of a stream its first pass. */
export async function* inOrder(data: AnySamples, size: number): AsyncGenerator<SomeSamples, void, void> {
  if (isStream(data)) {
    for await (const batch of batchesOf(data, 0, size)) yield samplesIn(batch);
    return;
  }
  const set = named(data);
  for (let at = 0; at < data.length; at += size) {
    const samples = from(at, Math.min(size, data.length - at));
    yield { samples, fill: (inputs, targets) => set.gather(samples, inputs, targets) };
  }
}
