// dy times the loss's derivative by x.
struct Args { dy: u32, x: u32, t: u32, dx: u32, n: u32, delta: f32, zero: u32 }

fn slope_of(x: f32, t: f32, delta: f32) -> f32 {
  let d = x - t;
  switch KIND {
    case MSE: { return 2.0 * d; }
    case BCE_WITH_LOGITS: { return sigmoid_safe(x) - t; }
    case HUBER: { return clamp_nan(d, -delta, delta); }
    case L1: {
      if (is_nan(d)) { return d; }
      return select(0.0, 1.0, d > 0.0) - select(0.0, 1.0, d < 0.0);
    }
    case BCE: { return d / max_nan(x * (1.0 - x), 1e-12); }
    case KL_DIV: { return -t; }
    case KL_DIV_LOG: { return -exp_safe(t); }
    case POISSON_NLL: { return exp_safe(x) - t; }
    case POISSON_NLL_RATE: { return 1.0 - t / (x + delta); }
    case HINGE_EMBEDDING: {
      let near = select(1.0, 0.0, t == -1.0);
      return near - select(0.0, 1.0, t != 1.0 && !is_nan(x) && x <= delta);
    }
    case SOFT_MARGIN: { return -t * sigmoid_safe(-t * x); }
    default: {
      let q = wrong_of(x, t);
      let p = sigmoid_safe(x);
      var steeper = 0.0;
      if (q != 0.0) { steeper = delta * logistic(x, t) * p * sigmoid_safe(-x) * (1.0 - 2.0 * t) / q; }
      return power(q, delta) * (p - t + steeper);
    }
  }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let i = position(g, gs, l);
  if (i >= args.n) { return; }
  store(args.dx + i, load(args.dy + i) * slope_of(load(args.x + i), load(args.t + i), args.delta));
}
