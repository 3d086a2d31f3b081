import { CountNonzeroRecord, Counting, Dtype } from './generated/records';
import { shareEnd, shareStart } from './threads';

/** How many of `count` elements, `stride` bytes apart, are not 0; NaN is not. */
@inline
function nonzero<T>(x: usize, count: i32, stride: usize): i32 {
  let found: i32 = 0;
  for (let c = 0; c < count; c++, x += stride) found += i32(load<T>(x) != <T>0);
  return found;
}

/** (outer, count, inner) -> (outer, inner) */
export function countNonzero(r: CountNonzeroRecord, thread: i32, threads: i32): void {
  const type = r.type;
  const kind = r.kind;
  const count = r.count;
  const inner = r.inner;
  const x = r.x;
  const y = r.y;
  const outputs = r.outer * inner;
  const shift: usize = type == Dtype.U8 ? 0 : 2;
  const stride = <usize>inner << shift;
  const end = shareEnd(outputs, 16, thread, threads);
  for (let o = shareStart(outputs, 16, thread, threads); o < end; o++) {
    const first = x + ((<usize>(o / inner) * <usize>count * <usize>inner + <usize>(o % inner)) << shift);
    const found =
      type == Dtype.U8 ? nonzero<u8>(first, count, stride)
      : type == Dtype.I32 ? nonzero<i32>(first, count, stride)
      : nonzero<f32>(first, count, stride);
    if (kind == Counting.COUNT) store<i32>(y + (<usize>o << 2), found);
    else store<u8>(y + <usize>o, <u8>(kind == Counting.ANY ? found > 0 : found == count));
  }
}
