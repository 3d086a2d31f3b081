// dy times the loss's derivative by x.
struct Args { dy: u32, x: u32, t: u32, dx: u32, n: u32, delta: f32, zero: u32 }
override KIND: u32; // as in loss.wgsl

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let i = position(g, gs, l);
  if (i >= args.n) { return; }
  let x = load(args.x + i);
  let t = load(args.t + i);
  var slope = 2.0 * (x - t);
  if (KIND == 1u) { slope = sigmoid_safe(x) - t; }
  if (KIND == 2u) { slope = clamp_nan(x - t, -args.delta, args.delta); }
  store(args.dx + i, load(args.dy + i) * slope);
}
