fn forward(x: f32, p: f32, q: f32) -> f32 {
  if (is_nan(x) || abs(x) < 1e-10) { return x; }
  if (x >= -0.5 && x <= 1.0) { return log1p_safe(x); }
  return log_safe(x + 1.0);
}
