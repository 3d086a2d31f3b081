// The same for u8, four windows to a word; the padding is 0.
struct Args { windows: Windows, x: u32, y: u32, n: u32, zero: u32 }

fn value_of(at: u32) -> f32 { return f32(load_byte(args.x, at)); }

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let i = position(g, gs, l);
  if (i * 4u >= args.n) { return; }
  var word = 0u;
  for (var b = 0u; b < 4u && i * 4u + b < args.n; b++) { word |= u32(winner(i * 4u + b).value) << (b * 8u); }
  arena[args.y + i] = word;
}
