// scale = weight / sqrt(variance + eps), shift = bias - mean scale
struct Args { weight: u32, bias: u32, mean: u32, variance: u32, scale: u32, shift: u32, n: u32, eps: f32, zero: u32 }

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let c = position(g, gs, l);
  if (c >= args.n) { return; }
  let scale = load(args.weight + c) / sqrt(load(args.variance + c) + args.eps);
  store(args.scale + c, scale);
  store(args.shift + c, load(args.bias + c) - load(args.mean + c) * scale);
}
