// y = a op b with broadcasting: element i of y is found in a and b by its position in each of up to 8 dimensions.
struct Args {
  a: u32, b: u32, y: u32, n: u32,
  dims: array<vec4<u32>, 2>, strides_a: array<vec4<u32>, 2>, strides_b: array<vec4<u32>, 2>,
  rank: u32, zero: u32,
}
override KIND: u32; // 0 add, 1 sub, 2 mul, 3 div

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let i = position(g, gs, l);
  if (i >= args.n) { return; }
  var rest = i;
  var ia = args.a;
  var ib = args.b;
  for (var d = args.rank; d > 0u; d--) {
    let k = d - 1u;
    let size = args.dims[k >> 2u][k & 3u];
    let at = rest % size;
    rest = rest / size;
    ia += at * args.strides_a[k >> 2u][k & 3u];
    ib += at * args.strides_b[k >> 2u][k & 3u];
  }
  let a = load(ia);
  let b = load(ib);
  var y = a + b;
  if (KIND == 1u) { y = a - b; }
  if (KIND == 2u) { y = a * b; }
  if (KIND == 3u) { y = a / b; }
  if (is_nan(a)) { y = a; }
  if (is_nan(b)) { y = b; }
  store(args.y + i, y);
}
