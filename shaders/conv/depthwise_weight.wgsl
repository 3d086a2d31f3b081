// The gradient of a channel's weights: a workgroup sums one tap of one channel over all windows, in a fixed order.
struct Args { taps: Taps, dy: u32, x: u32, dw: u32, windows: u32, n: u32, zero: u32 }

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let o = g.y * gs.x + g.x;
  if (o >= args.n) { return; }
  let channels = args.taps.channels;
  let channel = o % channels;
  let tap = o / channels;
  var sum = Sum();
  for (var w = l; w < args.windows; w += LANES) {
    let pixel = pixel_of(window_of(w), tap / args.taps.taps_across, tap % args.taps.taps_across);
    if (pixel >= 0) { add(&sum, load(args.dy + w * channels + channel) * load(args.x + u32(pixel) * channels + channel)); }
  }
  let all = workgroup_sum(l, total(sum));
  if (l == 0u) { store(args.dw + o, all); }
}
