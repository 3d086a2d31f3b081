fn forward(x: f32, p: f32) -> f32 {
  if (is_nan(x)) { return x; }
  if (x < -16.0) { return 0.0; }
  return 0.5 * x * (1.0 + erf_safe(x * 0.70710678));
}

fn backward(dy: f32, given: f32, p: f32) -> f32 {
  let x = clamp_nan(given, -16.0, 16.0);
  let density = exp_safe(-0.5 * x * x) * 0.39894228;
  return dy * (0.5 * (1.0 + erf_safe(x * 0.70710678)) + x * density);
}
