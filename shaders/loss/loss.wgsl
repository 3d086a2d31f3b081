// A loss of each element.
struct Args { x: u32, t: u32, y: u32, n: u32, delta: f32, zero: u32 }

fn loss_of(x: f32, t: f32, delta: f32) -> f32 {
  let d = x - t;
  switch KIND {
    case MSE: { return d * d; }
    case BCE_WITH_LOGITS: { return logistic(x, t); }
    case HUBER: {
      if (is_nan(d)) { return d; }
      let size = abs(d);
      if (size <= delta) { return 0.5 * size * size; }
      return delta * (size - 0.5 * delta);
    }
    case L1: { return abs(d); }
    case BCE: { return -(t * max_nan(log_of(x), -100.0) + (1.0 - t) * max_nan(log_rest(x), -100.0)); }
    case KL_DIV: { return share(t, log_of(t) - x); }
    case KL_DIV_LOG: { return share(exp_safe(t), t - x); }
    case POISSON_NLL: { return exp_safe(x) - t * x; }
    case POISSON_NLL_RATE: { return x - t * log_of(x + delta); }
    case HINGE_EMBEDDING: {
      var y = 0.0;
      if (t != -1.0) { y = x; }
      if (t != 1.0) { y += max_nan(0.0, delta - x); }
      return y;
    }
    case SOFT_MARGIN: {
      let z = -t * x;
      return max_nan(z, 0.0) + log1p_safe(exp_safe(-abs(z)));
    }
    default: { return power(wrong_of(x, t), delta) * logistic(x, t); }
  }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let i = position(g, gs, l);
  if (i >= args.n) { return; }
  store(args.y + i, loss_of(load(args.x + i), load(args.t + i), args.delta));
}
