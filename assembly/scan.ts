import { CumsumRecord, Dtype } from './generated/records';
import { shareEnd, shareStart } from './threads';

/** `S`: in what type they are summed. */
function sums<T, S>(r: CumsumRecord, thread: i32, threads: i32): void {
  const x = r.x;
  const y = r.y;
  const count = r.count;
  const inner = r.inner;
  const exclusive = r.exclusive != 0;
  const runs = r.outer * inner;
  const step = (r.reverse ? -<isize>inner : <isize>inner) << 2;
  const begin = r.reverse ? count - 1 : 0;
  const end = shareEnd(runs, 16, thread, threads);
  for (let i = shareStart(runs, 16, thread, threads); i < end; i++) {
    const row = <usize>(i / inner) * <usize>count + <usize>begin;
    let at = (row * <usize>inner + <usize>(i % inner)) << 2;
    let sum: S = 0;
    for (let c = 0; c < count; c++, at += step) {
      const next = sum + <S>load<T>(x + at);
      store<T>(y + at, <T>(exclusive ? sum : next));
      sum = next;
    }
  }
}

/** Sums along the middle of (outer, count, inner): of floats in f64, each rounded once. */
export function cumsum(r: CumsumRecord, thread: i32, threads: i32): void {
  if (r.type == Dtype.I32) sums<i32, i32>(r, thread, threads);
  else sums<f32, f64>(r, thread, threads);
}
