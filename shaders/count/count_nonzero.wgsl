// How many of (outer, count, inner) are not 0: a workgroup for each word of the output, whose four bytes are an output each unless
// KIND is 0.
struct Args { x: u32, y: u32, outputs: u32, count: u32, inner: u32, zero: u32 }
override KIND: u32; // 0 the number as i32, 1 whether any are, 2 whether all are
override TYPE: u32; // 0 f32, 1 i32, 2 u8

fn is_zero(i: u32) -> bool {
  if (TYPE == 2u) { return load_byte(args.x, i) == 0u; }
  let bits = arena[args.x + i];
  // -0 is 0, as a float.
  return (bits & select(0xffffffffu, 0x7fffffffu, TYPE == 0u)) == 0u;
}

// Whole numbers up to 2^24 are exact in f32, so large ones are added up in two parts.
fn sum_whole(l: u32, v: u32) -> u32 {
  let low = workgroup_sum(l, f32(v & 0xfffu));
  let high = workgroup_sum(l, f32(v >> 12u));
  return u32(low) + (u32(high) << 12u);
}

fn found_in(o: u32, l: u32) -> u32 {
  let first = (o / args.inner) * args.count * args.inner + o % args.inner;
  var found = 0u;
  for (var c = l; c < args.count; c += LANES) { if (!is_zero(first + c * args.inner)) { found += 1u; } }
  return sum_whole(l, found);
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let w = g.y * gs.x + g.x;
  if (KIND == 0u) {
    if (w >= args.outputs) { return; }
    let found = found_in(w, l);
    if (l == 0u) { arena[args.y + w] = found; }
    return;
  }
  if (w * 4u >= args.outputs) { return; }
  var word = 0u;
  for (var b = 0u; b < 4u; b++) {
    let o = w * 4u + b;
    if (o < args.outputs) {
      let found = found_in(o, l);
      let is = select(found == args.count, found > 0u, KIND == 1u);
      word |= select(0u, 1u, is) << (b * 8u);
    }
  }
  if (l == 0u) { arena[args.y + w] = word; }
}
