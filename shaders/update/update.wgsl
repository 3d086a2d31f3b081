// Optimizers that are used less than SGD and Adam; src/ops/update.ts has their formulas, assembly/records.ts the kinds.
struct Args {
  p: u32, g: u32, a: u32, b: u32, c: u32, hyper: u32, norm: u32, n: u32,
  max_norm: f32, beta1: f32, rest1: f32, beta2: f32, rest2: f32, eps: f32, decay: f32, decoupled: u32, zero: u32,
}
override KIND: u32;
override CLIP: u32;
// Whether there are operands b and c.
override SECOND: u32;
override THIRD: u32;

fn clip_factor() -> f32 {
  if (CLIP == 0u) { return 1.0; }
  let factor = args.max_norm / (load(args.norm) + 1e-6);
  if (is_nan(load(args.norm))) { return load(args.norm); }
  return min(factor, 1.0);
}

fn sign_nan(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  return sign(x);
}

fn moment(at: u32, kept: f32, rest: f32, term: f32) -> f32 {
  let m = kept * load(at) + rest * term;
  store(at, m);
  return m;
}

// The square alone overflows sooner.
fn square(at: u32, kept: f32, rest: f32, term: f32) -> f32 {
  let v = kept * load(at) + (rest * term) * term;
  store(at, v);
  return v;
}

fn trust() -> f32 {
  let weights = load(args.a);
  let direction = load(args.b);
  if (weights == 0.0 || direction == 0.0) { return 1.0; }
  return weights / direction;
}

// As torch.lerp: exact at both ends.
fn average(w: f32, g: f32, rate: f32) -> f32 {
  if (rate == 0.0) { return w; }
  if (rate == 1.0) { return g; }
  let way = g - w;
  return select(g - way * (1.0 - rate), w + rate * way, rate < 0.5);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let i = position(wg, gs, l);
  if (i >= args.n) { return; }
  let w = load(args.p + i);
  if (KIND == 9u) {
    store(args.p + i, clamp_nan(w, -args.max_norm, args.max_norm));
    return;
  }
  var g = load(args.g + i) * clip_factor();
  let rate = load(args.hyper);
  if (KIND == 8u) {
    store(args.p + i, average(w, g, rate));
    return;
  }
  if (KIND == 7u) {
    store(args.p + i, w - rate * trust() * g);
    return;
  }
  // 0 times an infinite parameter is NaN.
  if (args.decoupled == 0u && args.decay != 0.0) { g += args.decay * w; }
  let scale = load(args.hyper + 1u);
  var step = 0.0;
  if (KIND == 0u) {
    var v = square(args.a + i, args.beta2, args.rest2, g);
    if (SECOND == 1u) {
      let m = moment(args.b + i, args.beta2, args.rest2, g);
      v = max_nan(v - m * m, 0.0);
    }
    step = g / (sqrt(v) + args.eps);
    if (THIRD == 1u) { step = moment(args.c + i, args.beta1, 1.0, step); }
    step = rate * step;
  } else if (KIND == 1u) {
    let v = load(args.a + i) + g * g;
    store(args.a + i, v);
    step = scale * (g / (sqrt(v) + args.eps));
  } else if (KIND == 2u) {
    let v = square(args.a + i, args.beta2, args.rest2, g);
    step = sqrt(load(args.b + i) + args.eps) / sqrt(v + args.eps) * g;
    square(args.b + i, args.beta2, args.rest2, step);
    step = rate * step;
  } else if (KIND == 4u) {
    step = rate * sign_nan(args.beta1 * load(args.a + i) + args.rest1 * g);
    moment(args.a + i, args.beta2, args.rest2, g);
  } else {
    let m = moment(args.a + i, args.beta1, args.rest1, g);
    var v = square(args.b + i, args.beta2, args.rest2, g);
    var up = scale * m;
    if (KIND == 3u) { up = scale * g + load(args.hyper + 3u) * m; }
    if (KIND == 5u) {
      v = max_nan(load(args.c + i), v);
      store(args.c + i, v);
    }
    step = up / (sqrt(v) * load(args.hyper + 2u) + args.eps);
    if (KIND == 6u) {
      if (args.decay != 0.0) { step += args.decay * w; }
      store(args.c + i, step);
      return;
    }
  }
  var kept = w;
  if (args.decoupled == 1u) { kept = w * (1.0 - rate * args.decay); }
  store(args.p + i, kept - step);
}
