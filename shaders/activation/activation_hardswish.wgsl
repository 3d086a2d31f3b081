fn forward(x: f32, p: f32) -> f32 {
  if (is_nan(x)) { return x; }
  if (x <= -3.0) { return 0.0; }
  if (x >= 3.0) { return x; }
  return x * (x + 3.0) * (1.0 / 6.0);
}

fn backward(dy: f32, x: f32, p: f32) -> f32 {
  if (is_nan(x)) { return x; }
  if (x <= -3.0) { return 0.0; }
  if (x >= 3.0) { return dy; }
  return dy * ((2.0 * x + 3.0) * (1.0 / 6.0));
}
