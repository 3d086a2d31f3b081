fn inner(x: f32) -> f32 { return 0.79788456 * (x + 0.044715 * x * x * x); }
fn forward(x: f32, p: f32) -> f32 {
  if (is_nan(x)) { return x; }
  if (x < -16.0) { return 0.0; }
  if (x > 16.0) { return x; }
  return 0.5 * x * (1.0 + tanh_safe(inner(x)));
}

fn backward(dy: f32, given: f32, p: f32) -> f32 {
  let x = clamp_nan(given, -16.0, 16.0);
  let t = tanh_safe(inner(x));
  let slope = 0.79788456 * (1.0 + 3.0 * 0.044715 * x * x);
  return dy * (0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * slope);
}
