// (outer, count, inner) -> (outer, inner): one workgroup for each output, its invocations taking turns along count.
// Terms are combined in the same order at every run.
struct Args { x: u32, y: u32, outputs: u32, count: u32, inner: u32, factor: f32, zero: u32 }
override KIND: u32; // 0 sum, 1 max
override LANES: u32; // a power of two
var<workgroup> parts: array<f32, LANES>;

fn combine(a: f32, b: f32) -> f32 {
  if (KIND == 1u) { return max_nan(a, b); }
  return a + b;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let o = g.y * gs.x + g.x;
  if (o >= args.outputs) { return; }
  let first = args.x + (o / args.inner) * args.count * args.inner + o % args.inner;
  var all = 0.0;
  if (KIND == 1u) { all = -infinity(); }
  for (var c = l; c < args.count; c += LANES) { all = combine(all, load(first + c * args.inner)); }
  parts[l] = all;
  for (var half = LANES / 2u; half > 0u; half >>= 1u) {
    workgroupBarrier();
    if (l < half) { parts[l] = combine(parts[l], parts[l + half]); }
  }
  if (l == 0u) { store(args.y + o, parts[0] * args.factor); }
}
