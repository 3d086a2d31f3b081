// (outer, count, inner) -> (outer, parts, inner): one workgroup for each output combines `chunk` of the count terms, its
// invocations taking turns. A sum of more terms than a chunk takes several passes, so its error grows with their logarithm.
// Terms are combined in the same order at every run.
struct Args {
  x: u32, y: u32, outputs: u32, count: u32, inner: u32, parts: u32, chunk: u32, divisor: f32, zero: u32,
}
override KIND: u32; // 0 sum, 1 max, 2 min: the largest of negated terms, negated

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let o = g.y * gs.x + g.x;
  if (o >= args.outputs) { return; }
  let row = o / args.inner;
  let first = args.x + (row / args.parts) * args.count * args.inner + o % args.inner;
  let start = (row % args.parts) * args.chunk;
  let end = min(args.count, start + args.chunk);
  var all = 0.0;
  if (KIND != 0u) {
    let sign = select(1.0, -1.0, KIND == 2u);
    all = -infinity();
    for (var c = start + l; c < end; c += LANES) { all = max_nan(all, sign * load(first + c * args.inner)); }
    all = sign * workgroup_max(l, all);
  } else {
    var sum = Sum();
    for (var c = start + l; c < end; c += LANES) { add(&sum, load(first + c * args.inner)); }
    all = workgroup_sum(l, total(sum)) / args.divisor;
    if (args.divisor == 0.0) { all = nan(); }
  }
  if (l == 0u) { store(args.y + o, all); }
}
