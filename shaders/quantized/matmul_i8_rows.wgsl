// Rows of bytes that were made up to a multiple of 4 long, put one behind the other; an invocation makes a word.
struct Args { x: u32, y: u32, n: u32, padded: u32, count: u32, zero: u32 }

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let i = position(g, gs, l);
  if (i * 4u >= args.count) { return; }
  var word = 0u;
  for (var b = 0u; b < 4u; b++) {
    let e = i * 4u + b;
    if (e < args.count) { word |= load_byte(args.x, (e / args.n) * args.padded + e % args.n) << (b * 8u); }
  }
  arena[args.y + i] = word;
}
