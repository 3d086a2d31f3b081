// A workgroup for each channel (the last axis): its mean, its variance, then y = (x - mean) / sqrt(variance + eps) weight + bias.
struct Args {
  x: u32, weight: u32, bias: u32, y: u32, mean: u32, variance: u32, rows: u32, n: u32, eps: f32, zero: u32,
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let c = g.y * gs.x + g.x;
  if (c >= args.n) { return; }
  let first = args.x + c;
  let count = f32(args.rows);
  var sum = Sum();
  for (var r = l; r < args.rows; r += LANES) { add(&sum, load(first + r * args.n)); }
  let mean = workgroup_sum(l, total(sum)) / count;
  var squares = Sum();
  var left = Sum();
  for (var r = l; r < args.rows; r += LANES) {
    let d = load(first + r * args.n) - mean;
    add(&squares, d * d);
    add(&left, d);
  }
  // What rounding the mean left over.
  let rest = workgroup_sum(l, total(left)) / count;
  let all = workgroup_sum(l, total(squares)) / count;
  let variance = all - min(rest * rest, all);
  let factor = load(args.weight + c) / sqrt(variance + args.eps);
  let shift = load(args.bias + c);
  for (var r = l; r < args.rows; r += LANES) {
    store(args.y + r * args.n + c, ((load(first + r * args.n) - mean) - rest) * factor + shift);
  }
  if (l == 0u) {
    store(args.mean + c, mean + rest);
    store(args.variance + c, variance);
  }
}
