import { CountNonzeroRecord, Counting, Dtype } from './generated/records';
import { shareEnd, shareStart } from './threads';

/** How many of `count` neighbours have a bit of the mask. */
@inline
function nonzero<T>(x: usize, count: i32, mask: T): i32 {
  let found: i32 = 0;
  for (const end = x + <usize>count * sizeof<T>(); x < end; x += sizeof<T>()) found += i32((load<T>(x) & mask) != 0);
  return found;
}

/** Columns are counted row by row, in the answers themselves. */
function addRow<T, F>(kind: i32, x: usize, y: usize, n: i32, mask: T): void {
  for (let j: usize = 0; j < <usize>n; j++) {
    const at = y + j * sizeof<F>();
    const is = <F>((load<T>(x + j * sizeof<T>()) & mask) != 0);
    const was = load<F>(at);
    store<F>(at, kind == Counting.COUNT ? was + is : kind == Counting.ANY ? was | is : was & is);
  }
}

/** `T`: elements as bits; `F`: what the answers are. */
function countAll<T, F>(r: CountNonzeroRecord, mask: T, thread: i32, threads: i32): void {
  const kind = r.kind;
  const count = r.count;
  const inner = r.inner;
  if (inner == 1) {
    const end = shareEnd(r.outer, 16, thread, threads);
    for (let o = shareStart(r.outer, 16, thread, threads); o < end; o++) {
      const found = nonzero<T>(r.x + <usize>o * <usize>count * sizeof<T>(), count, mask);
      const answer = kind == Counting.COUNT ? found : i32(kind == Counting.ANY ? found > 0 : found == count);
      store<F>(r.y + <usize>o * sizeof<F>(), <F>answer);
    }
    return;
  }
  const start = shareStart(inner, 16, thread, threads);
  const columns = shareEnd(inner, 16, thread, threads) - start;
  for (let o = 0; o < r.outer; o++) {
    const y = r.y + (<usize>o * <usize>inner + <usize>start) * sizeof<F>();
    for (let j: usize = 0; j < <usize>columns; j++) store<F>(y + j * sizeof<F>(), <F>(kind == Counting.ALL));
    let x = r.x + (<usize>o * <usize>count * <usize>inner + <usize>start) * sizeof<T>();
    for (let c = 0; c < count; c++, x += <usize>inner * sizeof<T>()) addRow<T, F>(kind, x, y, columns, mask);
  }
}

function countOf<F>(r: CountNonzeroRecord, thread: i32, threads: i32): void {
  if (r.type == Dtype.U8) countAll<u8, F>(r, 0xff, thread, threads);
  // -0 is 0, as a float; NaN is not.
  else countAll<u32, F>(r, r.type == Dtype.F32 ? 0x7fffffff : 0xffffffff, thread, threads);
}

/** (outer, count, inner) -> (outer, inner) */
export function countNonzero(r: CountNonzeroRecord, thread: i32, threads: i32): void {
  if (r.kind == Counting.COUNT) countOf<i32>(r, thread, threads);
  else countOf<u8>(r, thread, threads);
}
