// torch.optim.SGD; the third number of hyper is this step's dampening.
struct Args {
  p: u32, g: u32, buffer: u32, hyper: u32, norm: u32, n: u32,
  max_norm: f32, momentum: f32, decay: f32, nesterov: u32, zero: u32,
}
override MOMENTUM: u32;
override CLIP: u32;

fn clip_factor() -> f32 {
  if (CLIP == 0u) { return 1.0; }
  let factor = args.max_norm / (load(args.norm) + 1e-6);
  if (is_nan(load(args.norm))) { return load(args.norm); }
  return min(factor, 1.0);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let i = position(g, gs, l);
  if (i >= args.n) { return; }
  let w = load(args.p + i);
  var gradient = load(args.g + i) * clip_factor();
  // 0 times an infinite parameter is NaN.
  if (args.decay != 0.0) { gradient += args.decay * w; }
  var step = gradient;
  if (MOMENTUM == 1u) {
    let m = args.momentum * load(args.buffer + i) + (1.0 - load(args.hyper + 2u)) * gradient;
    store(args.buffer + i, m);
    step = select(m, gradient + args.momentum * m, args.nesterov == 1u);
  }
  store(args.p + i, w - load(args.hyper + 1u) * step);
}
