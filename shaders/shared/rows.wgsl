// Joined to kernels that treat one row with one workgroup, with sums.wgsl and workgroup_*.wgsl.
fn largest(l: u32, x: u32, n: u32) -> f32 {
  var most = -infinity();
  for (var i = l; i < n; i += LANES) { most = max_nan(most, load(x + i)); }
  return workgroup_max(l, most);
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
  var sum = Sum();
  for (var i = l; i < n; i += LANES) { add(&sum, shifted_exp(load(x + i), shift)); }
  return workgroup_sum(l, total(sum));
}
