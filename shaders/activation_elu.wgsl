// p is alpha.
fn forward(x: f32, p: f32) -> f32 {
  if (is_nan(x)) { return x; }
  return select(x, p * (exp_safe(x) - 1.0), x <= 0.0);
}

fn backward(dy: f32, y: f32, p: f32) -> f32 {
  if (is_nan(y)) { return dy; }
  return select(dy, dy * (y + p), y <= 0.0);
}
