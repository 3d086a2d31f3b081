fn forward(x: f32, p: f32) -> f32 { return max_nan(x, 0.0); }
fn backward(dy: f32, y: f32, p: f32) -> f32 {
  if (is_nan(y)) { return dy; }
  return select(dy, 0.0, y <= 0.0);
}
