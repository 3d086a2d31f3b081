// As workgroup_memory.wgsl, through subgroups: each puts its own together, then every one goes through what all have found.
// Nothing is assumed of their size, nor of which invocations they take: who is how many is counted.
override LANES: u32; // invocations of a workgroup: a power of two
var<workgroup> parts: array<f32, LANES>; // a subgroup's at its first invocation, 0 at all others
var<workgroup> keys: array<i32, LANES>;
var<workgroup> sum: f32;
var<workgroup> most: i32;

fn workgroup_sum(l: u32, v: f32) -> f32 {
  let rank = subgroupExclusiveAdd(1u);
  let size = subgroupAdd(1u);
  let own = subgroupAdd(v);
  parts[l] = select(0.0, own, rank == 0u);
  workgroupBarrier();
  var found = 0.0;
  for (var i = rank; i < LANES; i += size) { found += parts[i]; }
  let all = subgroupAdd(found);
  // Subgroups of different sizes may differ in the last bit: one of them speaks for all.
  if (l == 0u) { sum = all; }
  return workgroupUniformLoad(&sum);
}

const LEAST = -0x7fffffff - 1;

// Integers in the order of the numbers whose bits they are, NaN above all: subgroupMax of floats may drop one.
fn key_of(v: f32) -> i32 {
  if (is_nan(v)) { return 0x7fffffff; }
  let bits = bitcast<i32>(v);
  return bits ^ ((bits >> 31u) & 0x7fffffff);
}

fn workgroup_max(l: u32, v: f32) -> f32 {
  let rank = subgroupExclusiveAdd(1u);
  let size = subgroupAdd(1u);
  let own = subgroupMax(key_of(v));
  keys[l] = select(LEAST, own, rank == 0u);
  workgroupBarrier();
  var found = LEAST;
  for (var i = rank; i < LANES; i += size) { found = max(found, keys[i]); }
  let all = subgroupMax(found);
  if (l == 0u) { most = all; }
  let key = workgroupUniformLoad(&most);
  return bitcast<f32>(key ^ ((key >> 31u) & 0x7fffffff));
}
