// -infinity would meet a factor of 0 and become NaN; no finite result changes beyond 1e30.
fn forward(x: f32, p: f32) -> f32 { return max_nan(x, -1e30) * sigmoid_safe(x); }
fn backward(dy: f32, given: f32, p: f32) -> f32 {
  let x = clamp_nan(given, -1e30, 1e30);
  let s = sigmoid_safe(x);
  return dy * (s * (1.0 + x * (1.0 - s)));
}
