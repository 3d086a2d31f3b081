// sqrt of the sum of squares, by one workgroup in a fixed order. Values are scaled by the largest, so that squares don't
// overflow.
struct Args { x: u32, y: u32, n: u32, zero: u32 }

@compute @workgroup_size(LANES)
fn main(@builtin(local_invocation_index) l: u32) {
  var most = 0.0;
  for (var i = l; i < args.n; i += LANES) { most = max_nan(most, abs(load(args.x + i))); }
  most = workgroup_max(l, most);
  if (is_nan(most) || most == 0.0 || most >= infinity()) {
    if (l == 0u) { store(args.y, most); }
    return;
  }
  var sum_squares = 0.0;
  for (var i = l; i < args.n; i += LANES) {
    let v = load(args.x + i) / most;
    sum_squares += v * v;
  }
  sum_squares = workgroup_sum(l, sum_squares);
  if (l == 0u) { store(args.y, most * sqrt(sum_squares)); }
}
