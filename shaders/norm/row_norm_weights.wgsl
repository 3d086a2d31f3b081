// A workgroup for each element of a row: dWeight = sum over rows of dy z, dBias = sum over rows of dy.
struct Args { dy: u32, x: u32, mean: u32, rstd: u32, dWeight: u32, dBias: u32, rows: u32, n: u32, zero: u32 }
override CENTERED: u32;
override BIAS: u32;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let c = g.y * gs.x + g.x;
  if (c >= args.n) { return; }
  var weights = Sum();
  var biases = Sum();
  for (var r = l; r < args.rows; r += LANES) {
    let i = r * args.n + c;
    let dy = load(args.dy + i);
    var d = load(args.x + i);
    if (CENTERED == 1u) { d -= load(args.mean + r); }
    add(&weights, dy * (d * load(args.rstd + r)));
    add(&biases, dy);
  }
  let dWeight = workgroup_sum(l, total(weights));
  let dBias = workgroup_sum(l, total(biases));
  if (l == 0u) {
    store(args.dWeight + c, dWeight);
    if (BIAS == 1u) { store(args.dBias + c, dBias); }
  }
}
