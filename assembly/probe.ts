import { bytesTile, wideTile } from './generated/tiles';
import { biasedTile } from './matmul/biased-tile';

/**
 * Repeats one tile over operands that lie in the nearest cache: what the vector units give when nothing else is in the
 * way. Record: kind (0 f32, 1 dot_i16x8, 2 relaxed dot), rows, columns, length (of K, or groups of it), repeats, memory
 * of (rows + columns) * (length + rows) words
 */
export function probeTile(r: usize): void {
  const kind = load<i32>(r);
  const rows = load<i32>(r, 4);
  const columns = load<i32>(r, 8);
  const length = load<i32>(r, 12);
  const left = <usize>load<u32>(r, 20);
  const right = left + (<usize>(rows * length) << 2);
  const sums = right + (<usize>(columns * length) << 2);
  const wide = <usize>columns << 2;
  for (let i = load<i32>(r, 16); i > 0; i--) {
    if (kind == 0) biasedTile(rows, columns, length, left, right, wide, sums, wide, sums, wide, left, true);
    else if (kind == 1) wideTile(rows, columns, length, left, right, sums, wide);
    else bytesTile(rows, columns, length, left, right, sums, wide);
  }
}
