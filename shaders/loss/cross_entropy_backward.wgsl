// dy (softmax(x) - target), smoothed; of logarithms of chances -dy at the target. 0 for the ignored one.
struct Args { dy: u32, x: u32, targets: u32, dx: u32, rows: u32, n: u32, smoothing: f32, ignores: u32, ignored: u32, log_chances: u32, zero: u32 }

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let r = g.y * gs.x + g.x;
  if (r >= args.rows) { return; }
  let row = r * args.n;
  let t = arena[args.targets + r];
  let dy = load(args.dy + r);
  let most = largest(l, args.x + row, args.n);
  var total = sum_exp(l, args.x + row, args.n, most);
  if (t >= args.n) { total = nan(); }
  for (var i = l; i < args.n; i += LANES) {
    var target_share = args.smoothing / f32(args.n);
    if (i == t) { target_share += 1.0 - args.smoothing; }
    var dx = dy * (shifted_exp(load(args.x + row + i), most) / total - target_share);
    if (is_nan(total)) { dx = total; }
    if (args.log_chances == 1u && t < args.n) { dx = select(0.0, -dy, i == t); }
    if (args.ignores == 1u && t == args.ignored) { dx = 0.0; }
    store(args.dx + row + i, dx);
  }
}
