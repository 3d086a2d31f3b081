// A workgroup for each row: its mean, its variance (or the mean of squares), then y = (x - mean) rstd weight + bias.
struct Args { x: u32, weight: u32, bias: u32, y: u32, mean: u32, rstd: u32, rows: u32, n: u32, eps: f32, zero: u32 }
override CENTERED: u32;
override WEIGHT: u32;
override BIAS: u32;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let r = g.y * gs.x + g.x;
  if (r >= args.rows) { return; }
  let row = r * args.n;
  let count = f32(args.n);
  var mean = 0.0;
  if (CENTERED == 1u) {
    // Of differences from the first element, which keep their digits where the mean is far from 0.
    let first = load(args.x + row);
    var sum = Sum();
    for (var i = l; i < args.n; i += LANES) { add(&sum, load(args.x + row + i) - first); }
    mean = first + workgroup_sum(l, total(sum)) / count;
  }
  var squares = Sum();
  var left = Sum();
  for (var i = l; i < args.n; i += LANES) {
    let d = load(args.x + row + i) - mean;
    add(&squares, d * d);
    if (CENTERED == 1u) { add(&left, d); }
  }
  var variance = workgroup_sum(l, total(squares)) / count;
  // What rounding the mean left over.
  var rest = 0.0;
  if (CENTERED == 1u) {
    rest = workgroup_sum(l, total(left)) / count;
    variance -= min(rest * rest, variance);
  }
  let rstd = 1.0 / sqrt(variance + args.eps);
  for (var i = l; i < args.n; i += LANES) {
    var v = ((load(args.x + row + i) - mean) - rest) * rstd;
    if (WEIGHT == 1u) { v *= load(args.weight + i); }
    if (BIAS == 1u) { v += load(args.bias + i); }
    store(args.y + row + i, v);
  }
  if (l == 0u) {
    if (CENTERED == 1u) { store(args.mean + r, mean + rest); }
    store(args.rstd + r, rstd);
  }
}
