fn forward(x: f32, p: f32, q: f32) -> f32 {
  if (is_nan(x)) { return x; }
  let a = abs(x);
  let e = exp_safe(min(a, 9.0));
  let root = exp_safe(a * 0.5);
  return select(0.5 * (e + 1.0 / e), (root * 0.5) * root, a > 9.0);
}
