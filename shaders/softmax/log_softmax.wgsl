// x - m - log(sum exp(x - m)), with m the row's largest.
struct Args { x: u32, y: u32, rows: u32, n: u32, zero: u32 }

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let r = g.y * gs.x + g.x;
  if (r >= args.rows) { return; }
  let x = args.x + r * args.n;
  let most = largest(l, x, args.n);
  let total = log_safe(sum_exp(l, x, args.n, most));
  for (var i = l; i < args.n; i += LANES) {
    var y = load(x + i) - most - total;
    if (is_nan(total)) { y = total; }
    store(args.y + r * args.n + i, y);
  }
}
