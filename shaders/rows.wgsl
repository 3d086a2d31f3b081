// Joined to kernels that treat one row with one workgroup: what its 64 invocations found, put together in a fixed order.
var<workgroup> parts: array<f32, 64>;

fn row_sum(l: u32, v: f32) -> f32 {
  workgroupBarrier();
  parts[l] = v;
  for (var half = 32u; half > 0u; half >>= 1u) {
    workgroupBarrier();
    if (l < half) { parts[l] = parts[l] + parts[l + half]; }
  }
  workgroupBarrier();
  return parts[0];
}

fn row_max(l: u32, v: f32) -> f32 {
  workgroupBarrier();
  parts[l] = v;
  for (var half = 32u; half > 0u; half >>= 1u) {
    workgroupBarrier();
    if (l < half) { parts[l] = max_nan(parts[l], parts[l + half]); }
  }
  workgroupBarrier();
  return parts[0];
}

fn largest(l: u32, x: u32, n: u32) -> f32 {
  var most = -infinity();
  for (var i = l; i < n; i += 64u) { most = max_nan(most, load(x + i)); }
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
  for (var i = l; i < n; i += 64u) { sum += shifted_exp(load(x + i), shift); }
  return row_sum(l, sum);
}
