// y[o, c, i] = x[o, index[c], i], `outside` where there is no such element; EACH 1: an index for each (o, c, i). BYTES 1:
// elements are bytes, and an invocation makes a word of four.
struct Args { x: u32, indices: u32, y: u32, n: u32, size: u32, inner: u32, count: u32, outside: u32, zero: u32 }
override EACH: u32;
override BYTES: u32;

// Where element e comes from; all bits set for nowhere.
fn source_of(e: u32) -> u32 {
  let i = e % args.inner;
  let row = e / args.inner;
  var place = row % args.count;
  if (EACH == 1u) { place = e; }
  let at = arena[args.indices + place];
  if (at >= args.size) { return 0xffffffffu; }
  return ((row / args.count) * args.size + at) * args.inner + i;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let e = position(g, gs, l);
  if (BYTES == 0u) {
    if (e >= args.n) { return; }
    let start = source_of(e);
    if (start == 0xffffffffu) { arena[args.y + e] = args.outside; }
    else { arena[args.y + e] = weight_word(args.x + start); }
    return;
  }
  if (e * 4u >= args.n) { return; }
  var word = 0u;
  for (var b = 0u; b < 4u; b++) {
    if (e * 4u + b < args.n) {
      let start = source_of(e * 4u + b);
      if (start != 0xffffffffu) { word |= weight_byte(args.x, start) << (b * 8u); }
    }
  }
  arena[args.y + e] = word;
}
