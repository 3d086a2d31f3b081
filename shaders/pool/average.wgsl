// What the sum of a window is divided by: given, or what counts of it, with the zeros of the padding or without.
fn divisor_of(row: u32, column: u32) -> u32 {
  if (args.divisor > 0u) { return args.divisor; }
  let s = args.windows;
  let top = i32(row * s.stride_down) - i32(s.padding_down);
  let left = i32(column * s.stride_across) - i32(s.padding_across);
  let around = select(vec2<i32>(0, 0), vec2<i32>(i32(s.padding_down), i32(s.padding_across)), args.padded == 1u);
  let bottom = min(top + i32(s.kernel_height), i32(s.height) + around.x);
  let right = min(left + i32(s.kernel_width), i32(s.width) + around.y);
  return u32((bottom - max(top, -around.x)) * (right - max(left, -around.y)));
}
