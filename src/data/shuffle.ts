import { required, whole, seed as wholeSeed } from '../core/checks.ts';
import { optionsOf } from '../core/options.ts';
import { Random } from '../core/random.ts';
import { arraysFor, copyRows, type Rows, rowsFrom } from './rows.ts';
import type { StreamDataSet } from './stream.ts';

/** Options of shuffle(). */
export interface ShuffleOptions {
  /** Rows that are held back, of which the next one is drawn, from 1: as many as the stream has shuffle it wholly. */
  readonly buffer: number;
  /** The same seed makes the same orders, another for each pass; 0 if not given. */
  readonly seed?: number;
}

const check = optionsOf<ShuffleOptions>('shuffle', { buffer: required(whole(1)), seed: wholeSeed });

/** No epoch's order is drawn from these streams of random numbers: passes are counted from here. */
const STREAM = 0x51d0_0000;

/**
 * A stream's rows in another order for each pass: `buffer` of them are held back, each row that comes takes the place of one drawn at
 * random, and that goes on, as tf.data's shuffle(). Rows near to each other come far apart only where the buffer is large.
 */
export function shuffle(stream: StreamDataSet, given: ShuffleOptions): StreamDataSet {
  const { buffer, seed = 0 } = check(given);
  return {
    ...stream,
    async *rows(pass) {
      const random = new Random(seed, (STREAM + pass) >>> 0);
      const held: Rows[] = [];
      for await (const rows of stream.rows(pass))
        for (let i = 0; i < rows.count; i++) {
          const row = arraysFor(stream, 1);
          copyRows(rowsFrom(rows, i, 1), row);
          if (held.length < buffer) held.push(row);
          else {
            const j = random.int(buffer);
            yield held[j];
            held[j] = row;
          }
        }
      while (held.length > 0) {
        const j = random.int(held.length);
        yield held[j];
        held[j] = held[held.length - 1];
        held.pop();
      }
    },
  };
}
