// dx = backward(dy, saved): the activation's file is joined behind this one.
struct Args { dy: u32, saved: u32, dx: u32, n: u32, p: f32, zero: u32 }

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let i = position(g, gs, l);
  if (i >= args.n) { return; }
  store(args.dx + i, backward(load(args.dy + i), load(args.saved + i), args.p));
}
