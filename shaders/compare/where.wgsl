// y = c ? a : b in words of four bytes, c in bytes; element i is found in each as in binary.wgsl.
struct Args {
  c: u32, a: u32, b: u32, y: u32,
  dims: array<vec4<u32>, 2>, strides_c: array<vec4<u32>, 2>, strides_a: array<vec4<u32>, 2>, strides_b: array<vec4<u32>, 2>,
  n: u32, rank: u32, zero: u32,
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let i = position(g, gs, l);
  if (i >= args.n) { return; }
  var rest = i;
  var ic = 0u;
  var ia = args.a;
  var ib = args.b;
  for (var d = args.rank; d > 0u; d--) {
    let k = d - 1u;
    let size = args.dims[k >> 2u][k & 3u];
    let at = rest % size;
    rest = rest / size;
    ic += at * args.strides_c[k >> 2u][k & 3u];
    ia += at * args.strides_a[k >> 2u][k & 3u];
    ib += at * args.strides_b[k >> 2u][k & 3u];
  }
  arena[args.y + i] = select(arena[ib], arena[ia], load_byte(args.c, ic) != 0u);
}
