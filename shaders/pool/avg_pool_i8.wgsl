// The mean of each window of bytes, in integers; an invocation makes a word of y. See src/ops/pool.ts for the formula.
struct Args {
  windows: Windows, padded: u32, divisor: u32, x: u32, y: u32, n: u32,
  input_zero: u32, zero_point: i32, multiplier: u32, shift: u32, zero: u32,
}

fn byte_of(e: u32) -> u32 {
  let s = args.windows;
  let w = e / s.channels;
  let row = (w / s.columns) % s.rows;
  let column = w % s.columns;
  let image = w / s.columns / s.rows;
  var sum = 0;
  for (var a = 0u; a < s.kernel_height; a++) {
    let i = i32(row * s.stride_down + a) - i32(s.padding_down);
    if (i < 0 || i >= i32(s.height)) { continue; }
    for (var b = 0u; b < s.kernel_width; b++) {
      let j = i32(column * s.stride_across + b) - i32(s.padding_across);
      if (j < 0 || j >= i32(s.width)) { continue; }
      let at = ((image * s.height + u32(i)) * s.width + u32(j)) * s.channels + e % s.channels;
      sum += i32(load_byte(args.x, at)) - i32(args.input_zero);
    }
  }
  let divisor = divisor_of(row, column);
  // multiplier / divisor to the nearest, halves up.
  let rest = args.multiplier % divisor;
  let multiplier = args.multiplier / divisor + select(0u, 1u, rest >= divisor - rest);
  return bitcast<u32>(clamp(requantize(sum, multiplier, args.shift) + args.zero_point, 0, 255));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let i = position(g, gs, l);
  if (i * 4u >= args.n) { return; }
  var word = 0u;
  for (var b = 0u; b < 4u; b++) {
    let e = i * 4u + b;
    if (e < args.n) { word |= byte_of(e) << (b * 8u); }
  }
  arena[args.y + i] = word;
}
