// p is the slope below 0.
fn forward(x: f32, p: f32) -> f32 {
  if (is_nan(x)) { return x; }
  return select(x, x * p, x <= 0.0);
}

fn backward(dy: f32, y: f32, p: f32) -> f32 {
  if (is_nan(y)) { return dy; }
  return select(dy, dy * p, y <= 0.0);
}
