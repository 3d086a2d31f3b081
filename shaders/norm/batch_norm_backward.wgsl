// A workgroup for each channel: dx = weight s (dy - (dBias + z dWeight) / rows), s = 1 / sqrt(variance + eps), z = (x - mean) s.
struct Args {
  dy: u32, x: u32, weight: u32, mean: u32, variance: u32, dx: u32, dWeight: u32, dBias: u32,
  rows: u32, n: u32, eps: f32, zero: u32,
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let c = g.y * gs.x + g.x;
  if (c >= args.n) { return; }
  let mean = load(args.mean + c);
  let s = 1.0 / sqrt(load(args.variance + c) + args.eps);
  var biases = Sum();
  var weights = Sum();
  for (var r = l; r < args.rows; r += LANES) {
    let i = r * args.n + c;
    let dy = load(args.dy + i);
    add(&biases, dy);
    add(&weights, dy * ((load(args.x + i) - mean) * s));
  }
  let dBias = workgroup_sum(l, total(biases));
  let dWeight = workgroup_sum(l, total(weights));
  let factor = load(args.weight + c) * s;
  for (var r = l; r < args.rows; r += LANES) {
    let i = r * args.n + c;
    let z = (load(args.x + i) - mean) * s;
    store(args.dx + i, factor * (load(args.dy + i) - (dBias + z * dWeight) / f32(args.rows)));
  }
  if (l == 0u) {
    store(args.dWeight + c, dWeight);
    store(args.dBias + c, dBias);
  }
}
