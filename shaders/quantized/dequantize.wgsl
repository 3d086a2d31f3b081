// x = (q - zero point) * scale
struct Args { x: u32, y: u32, n: u32, zero_point: i32, scale: f32, zero: u32 }
override SIGNED: u32;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let i = position(g, gs, l);
  if (i >= args.n) { return; }
  let b = load_byte(args.x, i);
  let q = select(i32(b), sign_extend(b), SIGNED == 1u);
  store(args.y + i, f32(q - args.zero_point) * args.scale);
}
