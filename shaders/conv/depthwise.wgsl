// Every channel by itself: an invocation makes one channel of one window. Joined to taps.wgsl and an activation.
//     w [tap][channel]    third [channel] the bias; or [like y] what the derivative is computed from
struct Args { taps: Taps, x: u32, w: u32, third: u32, y: u32, n: u32, p: f32, zero: u32 }
override BIAS: u32;
override DERIVATIVE: u32;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let i = position(g, gs, l);
  if (i >= args.n) { return; }
  let channels = args.taps.channels;
  let channel = i % channels;
  let window = window_of(i / channels);
  var sum = 0.0;
  for (var a = 0u; a < args.taps.taps_down; a++) {
    for (var b = 0u; b < args.taps.taps_across; b++) {
      let pixel = pixel_of(window, a, b);
      if (pixel < 0) { continue; }
      let tap = a * args.taps.taps_across + b;
      sum += load(args.x + u32(pixel) * channels + channel) * load_weight(args.w + tap * channels + channel);
    }
  }
  let at = place_out(window) * channels + channel;
  if (DERIVATIVE == 1u) {
    store(args.y + at, backward(sum, load(args.third + at), args.p));
    return;
  }
  if (BIAS == 1u) { sum += load(args.third + channel); }
  store(args.y + at, forward(sum, args.p));
}
