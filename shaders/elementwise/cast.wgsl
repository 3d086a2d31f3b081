// Converts element types, a word of output at a time. To integers: truncates, saturates, NaN becomes 0.
struct Args { x: u32, y: u32, n: u32, zero: u32 }
override FROM: u32; // 0 f32, 1 i32, 2 u8, 3 i8
override TO: u32;

fn whole(i: u32, low: i32, high: i32) -> i32 {
  if (FROM == 0u) {
    let v = load(args.x + i);
    if (is_nan(v)) { return 0; }
    if (v >= f32(high)) { return high; }
    if (v <= f32(low)) { return low; }
    return clamp(i32(v), low, high);
  }
  var v = bitcast<i32>(arena[args.x + select(0u, i, FROM == 1u)]);
  if (FROM == 2u) { v = i32(load_byte(args.x, i)); }
  if (FROM == 3u) { v = sign_extend(load_byte(args.x, i)); }
  return clamp(v, low, high);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let i = position(g, gs, l);
  if (TO <= 1u) {
    if (i >= args.n) { return; }
    if (TO == 0u && FROM == 0u) { arena[args.y + i] = arena[args.x + i]; return; }
    let v = whole(i, -2147483647 - 1, 2147483647);
    if (TO == 0u) { store(args.y + i, f32(v)); } else { arena[args.y + i] = bitcast<u32>(v); }
    return;
  }
  if (i * 4u >= args.n) { return; }
  var word = 0u;
  for (var b = 0u; b < 4u; b++) {
    let e = i * 4u + b;
    if (e < args.n) {
      let v = select(whole(e, -128, 127), whole(e, 0, 255), TO == 2u);
      word |= (bitcast<u32>(v) & 0xffu) << (b * 8u);
    }
  }
  arena[args.y + i] = word;
}
