// Joined to kernels that treat one row with one workgroup: what its invocations found, put together in a fixed order.
override LANES: u32; // a power of two
var<workgroup> parts: array<f32, LANES>;

fn row_sum(l: u32, v: f32) -> f32 {
  workgroupBarrier();
  parts[l] = v;
  for (var half = LANES / 2u; half > 0u; half >>= 1u) {
    workgroupBarrier();
    if (l < half) { parts[l] = parts[l] + parts[l + half]; }
  }
  workgroupBarrier();
  return parts[0];
}

fn row_max(l: u32, v: f32) -> f32 {
  workgroupBarrier();
  parts[l] = v;
  for (var half = LANES / 2u; half > 0u; half >>= 1u) {
    workgroupBarrier();
    if (l < half) { parts[l] = max_nan(parts[l], parts[l + half]); }
  }
  workgroupBarrier();
  return parts[0];
}

fn largest(l: u32, x: u32, n: u32) -> f32 {
  var most = -infinity();
  for (var i = l; i < n; i += LANES) { most = max_nan(most, load(x + i)); }
  return row_max(l, most);
}

// exp(x - shift), NaN where the difference is one of infinities.
fn shifted_exp(x: f32, shift: f32) -> f32 {
  let inf = bitcast<u32>(infinity());
  let xb = bitcast<u32>(x);
  let sb = bitcast<u32>(shift);
  if ((xb & 0x7fffffffu) == inf && xb == sb) { return nan(); }
  return exp_safe(x - shift);
}

fn sum_exp(l: u32, x: u32, n: u32, shift: f32) -> f32 {
  var sum = 0.0;
  for (var i = l; i < n; i += LANES) { sum += shifted_exp(load(x + i), shift); }
  return row_sum(l, sum);
}
