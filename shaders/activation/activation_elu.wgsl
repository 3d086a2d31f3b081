// p is alpha.
fn forward(x: f32, p: f32) -> f32 {
  if (is_nan(x)) { return x; }
  return select(x, p * expm1_safe(x), x <= 0.0);
}

fn backward(dy: f32, x: f32, p: f32) -> f32 {
  if (is_nan(x)) { return dy; }
  return select(dy, dy * (p * exp_safe(x)), x <= 0.0);
}
