// q = clamp(round(x * inverse) + zero point), four to a word; NaN becomes the zero point.
struct Args { x: u32, y: u32, n: u32, inverse: f32, zero_point: i32, low: i32, high: i32, zero: u32 }

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let i = position(g, gs, l);
  if (i * 4u >= args.n) { return; }
  var word = 0u;
  for (var b = 0u; b < 4u; b++) {
    let e = i * 4u + b;
    if (e >= args.n) { continue; }
    let v = load(args.x + e);
    var q = 0;
    if (!is_nan(v)) { q = i32(round(clamp(v * args.inverse, -1e6, 1e6))); }
    q = clamp(q + args.zero_point, args.low, args.high);
    word |= (bitcast<u32>(q) & 0xffu) << (b * 8u);
  }
  arena[args.y + i] = word;
}
