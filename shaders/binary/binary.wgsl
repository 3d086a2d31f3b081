// y = combined(a, b) with broadcasting, in words of four bytes; the file of the functions is joined behind this one. Element i of y is found in a and b by its position in each of up to 8 dimensions.
struct Args {
  a: u32, b: u32, y: u32, n: u32,
  dims: array<vec4<u32>, 2>, strides_a: array<vec4<u32>, 2>, strides_b: array<vec4<u32>, 2>,
  rank: u32, zero: u32,
}
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
  arena[args.y + i] = combined(arena[ia], arena[ib]);
}
