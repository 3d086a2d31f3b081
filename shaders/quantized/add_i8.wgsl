// y = clamp(round(((a - zero a) * factor a + (b - zero b) * factor b) / 2^shift) + zero point), halves away from zero, four to a word.
struct Args {
  a: u32, b: u32, y: u32, n: u32, zero_a: i32, zero_b: i32, factor_a: i32, factor_b: i32,
  shift: u32, zero_point: i32, low: i32, high: i32, zero: u32,
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let i = position(g, gs, l);
  if (i * 4u >= args.n) { return; }
  var word = 0u;
  for (var k = 0u; k < 4u; k++) {
    let a = i32(load_byte(args.a, i * 4u + k)) - args.zero_a;
    let b = i32(load_byte(args.b, i * 4u + k)) - args.zero_b;
    let acc = a * args.factor_a + b * args.factor_b;
    let rounded = acc + (1 << (args.shift - 1u)) + (acc >> 31u);
    let q = clamp((rounded >> args.shift) + args.zero_point, args.low, args.high);
    word |= bitcast<u32>(q) << (k * 8u);
  }
  arena[args.y + i] = word;
}
