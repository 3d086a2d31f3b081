// log(sum exp(x - m)) + (1 - s)(m - x[t]) + s(m - mean), with m the row's largest: nothing large cancels. Of logarithms of
// chances -x[t]. 0 for the ignored target.
struct Args { x: u32, targets: u32, y: u32, rows: u32, n: u32, smoothing: f32, ignores: u32, ignored: u32, log_chances: u32, zero: u32 }

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let r = g.y * gs.x + g.x;
  if (r >= args.rows) { return; }
  let x = args.x + r * args.n;
  let t = arena[args.targets + r];
  let s = args.smoothing;
  let most = largest(l, x, args.n);
  var y = log_safe(sum_exp(l, x, args.n, most));
  var below = Sum();
  for (var i = l; i < args.n; i += LANES) { add(&below, most - load(x + i)); }
  let mean = workgroup_sum(l, total(below)) / f32(args.n);
  if (l > 0u) { return; }
  let known = t < args.n;
  let gap = most - load(x + select(0u, t, known));
  // No share of an infinite loss is NaN, as in PyTorch.
  let bad = is_nan(y) || is_nan(most) || (s == 1.0 && bitcast<u32>(gap) == bitcast<u32>(infinity()));
  y += (1.0 - s) * gap;
  if (s > 0.0) { y += s * mean; }
  if (args.log_chances == 1u) { y = -load(x + select(0u, t, known)); }
  if (!known || (bad && args.log_chances == 0u)) { y = nan(); }
  if (args.ignores == 1u && t == args.ignored) { y = 0.0; }
  store(args.y + r, y);
}
