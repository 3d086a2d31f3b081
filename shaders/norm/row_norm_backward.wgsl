// A workgroup for each row: dx = rstd (g - mean(g) - z mean(g z)), g = dy weight, z = (x - mean) rstd; RMS norm has no mean(g).
struct Args { dy: u32, x: u32, weight: u32, mean: u32, rstd: u32, dx: u32, rows: u32, n: u32, zero: u32 }
override CENTERED: u32;
override WEIGHT: u32;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let r = g.y * gs.x + g.x;
  if (r >= args.rows) { return; }
  let row = r * args.n;
  let rstd = load(args.rstd + r);
  var mean = 0.0;
  if (CENTERED == 1u) { mean = load(args.mean + r); }
  var sum = Sum();
  var product = Sum();
  for (var i = l; i < args.n; i += LANES) {
    var v = load(args.dy + row + i);
    if (WEIGHT == 1u) { v *= load(args.weight + i); }
    add(&sum, v);
    add(&product, v * ((load(args.x + row + i) - mean) * rstd));
  }
  var a = workgroup_sum(l, total(sum)) / f32(args.n);
  if (CENTERED == 0u) { a = 0.0; }
  let b = workgroup_sum(l, total(product)) / f32(args.n);
  for (var i = l; i < args.n; i += LANES) {
    var v = load(args.dy + row + i);
    if (WEIGHT == 1u) { v *= load(args.weight + i); }
    store(args.dx + row + i, rstd * (v - a - (load(args.x + row + i) - mean) * rstd * b));
  }
}
