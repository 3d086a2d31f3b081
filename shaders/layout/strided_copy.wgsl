// Copies words between any two strided places: transpose, slice, concat and broadcast are all this.
struct Args {
  x: u32, y: u32, n: u32, rank: u32,
  dims: array<vec4<u32>, 2>, strides_x: array<vec4<u32>, 2>, strides_y: array<vec4<u32>, 2>,
  zero: u32,
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let i = position(g, gs, l);
  if (i >= args.n) { return; }
  var rest = i;
  var start = args.x;
  var to = args.y;
  for (var d = args.rank; d > 0u; d--) {
    let k = d - 1u;
    let size = args.dims[k >> 2u][k & 3u];
    let at = rest % size;
    rest = rest / size;
    start += at * args.strides_x[k >> 2u][k & 3u];
    to += at * args.strides_y[k >> 2u][k & 3u];
  }
  arena[to] = weight_word(start);
}
