// y[part] = sqrt of the sum of squares of each chunk of x, by one workgroup in a fixed order. The norm of the parts' norms
// is that of all, so many elements take several passes. Values are scaled by the largest, so that squares don't overflow.
struct Args { x: u32, y: u32, n: u32, parts: u32, chunk: u32, zero: u32 }

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let part = g.y * gs.x + g.x;
  if (part >= args.parts) { return; }
  let start = part * args.chunk;
  let end = min(args.n, start + args.chunk);
  var most = 0.0;
  for (var i = start + l; i < end; i += LANES) { most = max_nan(most, abs(load(args.x + i))); }
  most = workgroup_max(l, most);
  if (is_nan(most) || most == 0.0 || most >= infinity()) {
    if (l == 0u) { store(args.y + part, most); }
    return;
  }
  var squares = Sum();
  for (var i = start + l; i < end; i += LANES) {
    let v = load(args.x + i) / most;
    add(&squares, v * v);
  }
  let sum_squares = workgroup_sum(l, total(squares));
  if (l == 0u) { store(args.y + part, most * sqrt(sum_squares)); }
}
