// The sum of x divided by that of w, and that of w, by one workgroup.
struct Args { x: u32, w: u32, y: u32, total: u32, n: u32, weights: u32, zero: u32 }

@compute @workgroup_size(LANES)
fn main(@builtin(local_invocation_index) l: u32) {
  var terms = Sum();
  for (var i = l; i < args.n; i += LANES) { add(&terms, load(args.x + i)); }
  let sum = workgroup_sum(l, total(terms));
  var weights = Sum();
  for (var i = l; i < args.weights; i += LANES) { add(&weights, load(args.w + i)); }
  let all = workgroup_sum(l, total(weights));
  if (l > 0u) { return; }
  var y = sum / all;
  if (all == 0.0 && (sum == 0.0 || is_nan(sum))) { y = nan(); }
  store(args.y, y);
  store(args.total, all);
}
