// sqrt of the sum of squares, by one workgroup in a fixed order. Values are scaled by the largest, so that squares don't
// overflow.
struct Args { x: u32, y: u32, n: u32, zero: u32 }
var<workgroup> parts: array<f32, 256>;

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) l: u32) {
  var most = 0.0;
  for (var i = l; i < args.n; i += 256u) { most = max_nan(most, abs(load(args.x + i))); }
  parts[l] = most;
  for (var half = 128u; half > 0u; half >>= 1u) {
    workgroupBarrier();
    if (l < half) { parts[l] = max_nan(parts[l], parts[l + half]); }
  }
  most = workgroupUniformLoad(&parts[0]);
  if (is_nan(most) || most == 0.0 || most >= infinity()) {
    if (l == 0u) { store(args.y, most); }
    return;
  }
  var sum = 0.0;
  for (var i = l; i < args.n; i += 256u) {
    let v = load(args.x + i) / most;
    sum += v * v;
  }
  parts[l] = sum;
  for (var half = 128u; half > 0u; half >>= 1u) {
    workgroupBarrier();
    if (l < half) { parts[l] = parts[l] + parts[l + half]; }
  }
  if (l == 0u) { store(args.y, most * sqrt(parts[0])); }
}
