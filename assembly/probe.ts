import { ProbeTileRecord } from './generated/records';
import { bytesTile, wideTile } from './generated/tiles';
import { biasedTile } from './matmul/biased-tile';

/** Repeats one tile over operands that lie in the nearest cache: what the vector units give when nothing else is in the way. */
export function probeTile(r: ProbeTileRecord, thread: i32, threads: i32): void {
  const kind = r.kind;
  const rows = r.tileRows;
  const columns = r.tileColumns;
  const length = r.length;
  const left = r.memory;
  const right = left + (<usize>(rows * length) << 2);
  const sums = right + (<usize>(columns * length) << 2);
  const wide = <usize>columns << 2;
  for (let i = r.repeats; i > 0; i--) {
    if (kind == 0) biasedTile(rows, columns, length, left, right, wide, sums, wide, sums, wide, left, true);
    else if (kind == 1) wideTile(rows, columns, length, left, right, sums, wide);
    else bytesTile(rows, columns, length, left, right, sums, wide);
  }
}
