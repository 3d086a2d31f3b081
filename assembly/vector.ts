/** Loading and storing less than a whole vector, and sums across lanes. */

/** The first `count` (1 to 4) floats from `at`; the other lanes hold `rest`. Reads nothing beyond them. */
@inline
export function loadPart(at: usize, count: i32, rest: f32): v128 {
  if (count >= 4) return v128.load(at);
  let v = f32x4.replace_lane(f32x4.splat(rest), 0, load<f32>(at));
  if (count > 1) v = f32x4.replace_lane(v, 1, load<f32>(at, 4));
  if (count > 2) v = f32x4.replace_lane(v, 2, load<f32>(at, 8));
  return v;
}

/** Stores the first `count` (1 to 4) lanes. */
@inline
export function storePart(at: usize, count: i32, v: v128): void {
  if (count >= 4) {
    v128.store(at, v);
    return;
  }
  v128.store_lane<f32>(at, v, 0);
  if (count > 1) v128.store_lane<f32>(at, v, 1, 4);
  if (count > 2) v128.store_lane<f32>(at, v, 2, 8);
}

@inline
export function sumLanes(v: v128): f32 {
  const pairs = f32x4.add(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

/** NaN if any lane is NaN. */
@inline
export function maxLanes(v: v128): f32 {
  const pairs = f32x4.max(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
  return max(f32x4.extract_lane(pairs, 0), f32x4.extract_lane(pairs, 1));
}

/** For short runs, where a call of memory.copy costs more than the copy. */
@inline
export function copyFloats(to: usize, from: usize, count: i32): void {
  let i: i32 = 0;
  for (; i + 4 <= count; i += 4) v128.store(to + (<usize>i << 2), v128.load(from + (<usize>i << 2)));
  for (; i < count; i++) store<f32>(to + (<usize>i << 2), load<f32>(from + (<usize>i << 2)));
}

@inline
export function zeroFloats(to: usize, count: i32): void {
  let i: i32 = 0;
  for (; i + 4 <= count; i += 4) v128.store(to + (<usize>i << 2), f32x4.splat(0));
  for (; i < count; i++) store<f32>(to + (<usize>i << 2), 0);
}
