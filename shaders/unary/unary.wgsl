// y = forward(x), told two parameters: the function's file is joined behind this one.
struct Args { x: u32, y: u32, n: u32, p: f32, q: f32, zero: u32 }

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let i = position(g, gs, l);
  if (i >= args.n) { return; }
  store(args.y + i, forward(load(args.x + i), args.p, args.q));
}
