// What the invocations of a workgroup found, put together through its memory, in a fixed order.
// To be called by all of them; all get the result, which WGSL knows to be the same for all.
override LANES: u32; // invocations of a workgroup: a power of two
var<workgroup> parts: array<f32, LANES>;

fn workgroup_sum(l: u32, v: f32) -> f32 {
  parts[l] = v;
  for (var half = LANES / 2u; half > 0u; half >>= 1u) {
    workgroupBarrier();
    if (l < half) { parts[l] = parts[l] + parts[l + half]; }
  }
  return workgroupUniformLoad(&parts[0]);
}

fn workgroup_max(l: u32, v: f32) -> f32 {
  parts[l] = v;
  for (var half = LANES / 2u; half > 0u; half >>= 1u) {
    workgroupBarrier();
    if (l < half) { parts[l] = max_nan(parts[l], parts[l + half]); }
  }
  return workgroupUniformLoad(&parts[0]);
}
