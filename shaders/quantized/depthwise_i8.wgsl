// Every channel by itself, u8 x i8 -> u8, exact in int32: an invocation makes a word of y. Joined to taps.wgsl and requantize.wgsl.
//     weight [channel][tap]
struct Args {
  taps: Taps,
  x: u32, weight: u32, bias: u32, multiplier: u32, table: u32, y: u32, n: u32, k: u32,
  shift: u32, zero_point: i32, low: i32, high: i32, input_zero: u32, zero: u32,
}
override TABLE: u32;

fn byte_of(e: u32) -> u32 {
  let channels = args.taps.channels;
  let channel = e % channels;
  let window = window_of(e / channels);
  var acc = bitcast<i32>(weight_word(args.bias + channel));
  for (var a = 0u; a < args.taps.taps_down; a++) {
    for (var b = 0u; b < args.taps.taps_across; b++) {
      let pixel = pixel_of(window, a, b);
      var x = args.input_zero;
      if (pixel >= 0) { x = load_byte(args.x, u32(pixel) * channels + channel); }
      let tap = a * args.taps.taps_across + b;
      acc += i32(x) * sign_extend(weight_byte(args.weight, channel * args.k + tap));
    }
  }
  let scaled = requantize(acc, arena[args.multiplier + channel], args.shift);
  let q = bitcast<u32>(clamp(scaled + args.zero_point, args.low, args.high));
  if (TABLE == 1u) { return load_byte(args.table, q); }
  return q;
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
