/** Offset, in elements, of linear index `outer` over the first `rank` of the dimensions at `dims`. */
export function offsetOf(outer: i32, dims: usize, strides: usize, rank: i32): i32 {
  let offset: i32 = 0;
  let rest = outer;
  for (let d = rank - 1; d >= 0; d--) {
    const size = load<i32>(dims + (<usize>d << 2));
    offset += (rest % size) * load<i32>(strides + (<usize>d << 2));
    rest /= size;
  }
  return offset;
}
