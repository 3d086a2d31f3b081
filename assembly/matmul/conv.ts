import { ConvRecord, MatmulRecord } from '../generated/records';
import { products } from './matmul';

/** C = activation(taps of an image times B + bias), for each group of channels: a product whose A is never in memory. */
export function conv(r: ConvRecord, thread: i32, threads: i32): void {
  const n = r.n;
  const columns = r.tileColumns;
  const panels = ((n + columns - 1) / columns) * columns * r.k;
  // A convolution's record begins as a product's does.
  products(changetype<MatmulRecord>(r), thread, threads, n, n, panels, r);
}
