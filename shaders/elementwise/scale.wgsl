// y = factor * x
struct Args { x: u32, y: u32, n: u32, factor: f32, zero: u32 }

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let i = position(g, gs, l);
  if (i >= args.n) { return; }
  store(args.y + i, load(args.x + i) * args.factor);
}
