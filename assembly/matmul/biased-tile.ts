import { f32Tile } from '../generated/tiles';
import { PAIRS } from '../isa';

/**
 * One tile of C and, if `biased`, a row that is added to each of its rows; arguments as in f32Tile(). `bias` must be readable
 * in any case, and is not a part of C.
 */
@inline
export function biasedTile(
  rows: i32, columns: i32, k: i32, a: usize, b: usize, ldb: usize, start: usize, ldstart: usize, c: usize, ldc: usize,
  bias: usize, biased: bool,
): void {
  f32Tile(rows, columns, k, a, b, ldb, start, ldstart, c, ldc, bias);
  if (!PAIRS && biased) addToRows(rows, columns, c, ldc, bias);
}

function addToRows(rows: i32, columns: i32, c: usize, ldc: usize, bias: usize): void {
  const width = <usize>columns << 2;
  for (; rows > 0; rows--, c += ldc)
    for (let at: usize = 0; at < width; at += 16) v128.store(c + at, f32x4.add(v128.load(c + at), v128.load(bias + at)));
}
