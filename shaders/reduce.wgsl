// (outer, count, inner) -> (outer, inner): one workgroup for each output, its invocations taking turns along count.
// Terms are combined in the same order at every run.
struct Args { x: u32, y: u32, outputs: u32, count: u32, inner: u32, factor: f32, zero: u32 }
override KIND: u32; // 0 sum, 1 max

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
  if (KIND == 1u) { all = workgroup_max(l, all); } else { all = workgroup_sum(l, all); }
  if (l == 0u) { store(args.y + o, all * args.factor); }
}
