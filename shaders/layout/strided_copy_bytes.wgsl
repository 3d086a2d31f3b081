// As strided_copy, for bytes; x and y are the tensors' words, offsets come apart in bytes. Neighbouring bytes share a
// word, so a target that is written in full is made word by word (SERIAL 0); any other one by a single invocation.
struct Args {
  x: u32, y: u32, n: u32, rank: u32,
  dims: array<vec4<u32>, 2>, strides_x: array<vec4<u32>, 2>, strides_y: array<vec4<u32>, 2>,
  first: u32, last: u32, zero: u32,
}
override SERIAL: u32;

fn source_of(i: u32) -> u32 {
  var rest = i;
  var start = args.first;
  for (var d = args.rank; d > 0u; d--) {
    let k = d - 1u;
    let size = args.dims[k >> 2u][k & 3u];
    start += (rest % size) * args.strides_x[k >> 2u][k & 3u];
    rest = rest / size;
  }
  return start;
}

fn target_of(i: u32) -> u32 {
  var rest = i;
  var to = args.last;
  for (var d = args.rank; d > 0u; d--) {
    let k = d - 1u;
    let size = args.dims[k >> 2u][k & 3u];
    to += (rest % size) * args.strides_y[k >> 2u][k & 3u];
    rest = rest / size;
  }
  return to;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let i = position(g, gs, l);
  if (SERIAL == 1u) {
    if (i > 0u) { return; }
    for (var e = 0u; e < args.n; e++) {
      let to = target_of(e);
      let shift = (to & 3u) * 8u;
      let word = args.y + (to >> 2u);
      arena[word] = (arena[word] & ~(0xffu << shift)) | (load_byte(args.x, source_of(e)) << shift);
    }
    return;
  }
  if (i * 4u >= args.n) { return; }
  var word = 0u;
  for (var b = 0u; b < 4u; b++) {
    if (i * 4u + b < args.n) { word |= load_byte(args.x, source_of(i * 4u + b)) << (b * 8u); }
  }
  arena[args.y + i] = word;
}
