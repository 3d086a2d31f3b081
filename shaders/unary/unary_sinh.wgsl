// (e + e / (e + 1)) / 2 with e = e^|x| - 1, and from 9 on half of e^|x|, as the product of two that do not overflow.
fn forward(x: f32, p: f32, q: f32) -> f32 {
  if (is_nan(x)) { return x; }
  let a = abs(x);
  let e = expm1_safe(min(a, 9.0));
  let root = exp_safe(a * 0.5);
  let y = select(0.5 * (e + e / (e + 1.0)), (root * 0.5) * root, a > 9.0);
  return select(y, -y, x < 0.0);
}
