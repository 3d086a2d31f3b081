import { ConvRecord, MatmulRecord } from '../generated/records';
import { shareEnd, shareStart } from '../threads';
import { at, block } from './matmul';

/** C = activation(taps of an image times B + bias), for each group of channels: a product whose A is never in memory. */
export function conv(r: ConvRecord, thread: i32, threads: i32): void {
  const product = changetype<MatmulRecord>(r);
  const m = r.m;
  const n = r.n;
  const rows = r.tileRows;
  const columns = r.tileColumns;
  const scratch = r.scratch + <usize>thread * <usize>r.scratchPerThread;
  const byRows = m >= n || (r.packed != 0 && m >= 4 * threads);
  const i0 = byRows ? shareStart(m, rows, thread, threads) : 0;
  const i1 = byRows ? shareEnd(m, rows, thread, threads) : m;
  const j0 = byRows ? 0 : shareStart(n, 16, thread, threads);
  const j1 = byRows ? n : shareEnd(n, 16, thread, threads);
  if (i0 >= i1 || j0 >= j1) return;
  const panels = ((n + columns - 1) / columns) * columns * r.k;
  for (let g = 0; g < r.batch; g++) {
    const bias = r.bias ? at(r.bias, g * n) : 0;
    const packed = r.packed ? at(r.packed, g * panels) : 0;
    const a = at(r.a, g * r.batchStrideA);
    const b = at(r.b, g * r.batchStrideB);
    block(product, a, b, bias, packed, at(r.c, g * n), i0, i1, j0, j1, scratch, r);
  }
}

