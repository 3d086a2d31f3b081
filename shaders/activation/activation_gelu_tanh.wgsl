fn inner(x: f32) -> f32 { return 0.79788456 * (x + 0.044715 * x * x * x); }
fn forward(x: f32, p: f32) -> f32 {
  if (is_nan(x)) { return x; }
  if (x < -16.0) { return 0.0; }
  if (x > 16.0) { return x; }
  // (1 + tanh u) / 2 is sigmoid(2 u), which keeps its digits where x is negative.
  return x * sigmoid_safe(2.0 * inner(x));
}

fn backward(dy: f32, given: f32, p: f32) -> f32 {
  let x = clamp_nan(given, -16.0, 16.0);
  // y = x g with g = sigmoid(2 u), dg = 2 g (1 - g) du; 1 - g is sigmoid(-2 u), so neither cancels.
  let u = 2.0 * inner(x);
  let g = sigmoid_safe(u);
  let slope = 0.79788456 * (1.0 + 3.0 * 0.044715 * x * x);
  return dy * (g + 2.0 * x * (g * sigmoid_safe(-u)) * slope);
}
