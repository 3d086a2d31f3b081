// A byte for each answer, four to an invocation; element i is found in a and b as in binary.wgsl.
struct Args {
  a: u32, b: u32, y: u32, n: u32,
  dims: array<vec4<u32>, 2>, strides_a: array<vec4<u32>, 2>, strides_b: array<vec4<u32>, 2>,
  rank: u32, zero: u32,
}
override KIND: u32; // 0 eq, 1 ne, 2 lt, 3 le, 4 and, 5 or
override TYPE: u32; // 0 f32, 1 i32, 2 u8

// Numbers in the order of what they stand for: the bits of negative floats fall as they grow, and there are two zeros.
fn key(base: u32, i: u32) -> i32 {
  if (TYPE == 2u) { return i32(load_byte(base, i)); }
  let bits = bitcast<i32>(arena[base + i]);
  if (TYPE == 1u) { return bits; }
  return select(bits, -(bits & 0x7fffffff), bits < 0);
}

fn answer(i: u32) -> bool {
  var rest = i;
  var ia = 0u;
  var ib = 0u;
  for (var d = args.rank; d > 0u; d--) {
    let k = d - 1u;
    let size = args.dims[k >> 2u][k & 3u];
    let at = rest % size;
    rest = rest / size;
    ia += at * args.strides_a[k >> 2u][k & 3u];
    ib += at * args.strides_b[k >> 2u][k & 3u];
  }
  let a = key(args.a, ia);
  let b = key(args.b, ib);
  if (TYPE == 0u && (abs(a) > 0x7f800000 || abs(b) > 0x7f800000)) { return KIND == 1u; }
  if (KIND == 0u) { return a == b; }
  if (KIND == 1u) { return a != b; }
  if (KIND == 2u) { return a < b; }
  if (KIND == 3u) { return a <= b; }
  if (KIND == 4u) { return a != 0 && b != 0; }
  return a != 0 || b != 0;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let i = position(g, gs, l) * 4u;
  if (i >= args.n) { return; }
  var word = 0u;
  for (var b = 0u; b < 4u; b++) {
    if (i + b < args.n && answer(i + b)) { word |= 1u << (b * 8u); }
  }
  arena[args.y + i / 4u] = word;
}
