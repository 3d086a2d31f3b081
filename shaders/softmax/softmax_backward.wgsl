// dx = y (dy - sum(dy y))
struct Args { dy: u32, y: u32, dx: u32, rows: u32, n: u32, zero: u32 }

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let r = g.y * gs.x + g.x;
  if (r >= args.rows) { return; }
  let row = r * args.n;
  var dot = Sum();
  for (var i = l; i < args.n; i += LANES) { add(&dot, load(args.dy + row + i) * load(args.y + row + i)); }
  let all = workgroup_sum(l, total(dot));
  for (var i = l; i < args.n; i += LANES) {
    store(args.dx + row + i, load(args.y + row + i) * (load(args.dy + row + i) - all));
  }
}
