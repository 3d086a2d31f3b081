// Adam, and AdamW where DECOUPLED is 1.
struct Args {
  p: u32, g: u32, m: u32, v: u32, hyper: u32, norm: u32, n: u32,
  max_norm: f32, beta1: f32, rest1: f32, beta2: f32, rest2: f32, eps: f32, decay: f32, zero: u32,
}
override DECOUPLED: u32;
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
  var w = load(args.p + i);
  var gradient = load(args.g + i) * clip_factor();
  // 0 times an infinite parameter is NaN.
  if (DECOUPLED == 0u && args.decay != 0.0) { gradient += args.decay * w; }
  let m = args.beta1 * load(args.m + i) + args.rest1 * gradient;
  let v = args.beta2 * load(args.v + i) + (args.rest2 * gradient) * gradient;
  store(args.m + i, m);
  store(args.v + i, v);
  if (DECOUPLED == 1u) { w = w * (1.0 - load(args.hyper) * args.decay); }
  store(args.p + i, w - load(args.hyper + 1u) * m / (sqrt(v) * load(args.hyper + 2u) + args.eps));
}
