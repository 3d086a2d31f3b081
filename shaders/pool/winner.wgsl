// The winner of a channel of a window, `e` counting channels of windows of all images: where it lies in x, and its value.
struct Winner { found: bool, at: u32, value: f32 }

// The first largest, or the last NaN if there is one. value_of() says what lies at a place.
fn winner(e: u32) -> Winner {
  let s = args.windows;
  let channel = e % s.channels;
  let w = e / s.channels;
  let row = (w / s.columns) % s.rows;
  let image = w / s.columns / s.rows;
  let top = i32(row * s.stride_down) - i32(s.padding_down);
  let left = i32(w % s.columns * s.stride_across) - i32(s.padding_across);
  var best = Winner(false, 0u, 0.0);
  for (var a = 0u; a < s.kernel_height; a++) {
    let i = top + i32(a * s.dilation_down);
    if (i < 0 || i >= i32(s.height)) { continue; }
    for (var b = 0u; b < s.kernel_width; b++) {
      let j = left + i32(b * s.dilation_across);
      if (j < 0 || j >= i32(s.width)) { continue; }
      let at = ((image * s.height + u32(i)) * s.width + u32(j)) * s.channels + channel;
      let v = value_of(at);
      if (!best.found || is_nan(v) || (!is_nan(best.value) && v > best.value)) { best = Winner(true, at, v); }
    }
  }
  return best;
}
