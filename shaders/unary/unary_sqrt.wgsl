fn forward(x: f32, p: f32, q: f32) -> f32 {
  if (x > 0.0 && bitcast<u32>(x) < 0x7f800000u) { return sqrt(x); }
  return select(x, nan(), x < 0.0);
}
