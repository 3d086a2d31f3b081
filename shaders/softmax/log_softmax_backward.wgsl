// dx = dy - exp(y) sum(dy)
struct Args { dy: u32, y: u32, dx: u32, rows: u32, n: u32, zero: u32 }

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let r = g.y * gs.x + g.x;
  if (r >= args.rows) { return; }
  let row = r * args.n;
  var sum = Sum();
  for (var i = l; i < args.n; i += LANES) { add(&sum, load(args.dy + row + i)); }
  let all = workgroup_sum(l, total(sum));
  for (var i = l; i < args.n; i += LANES) {
    store(args.dx + row + i, load(args.dy + row + i) - exp_safe(load(args.y + row + i)) * all);
  }
}
