fn forward(x: f32, p: f32, q: f32) -> f32 {
  if (is_nan(x)) { return x; }
  let y = select(x, p, x < p);
  return select(y, q, y > q);
}
