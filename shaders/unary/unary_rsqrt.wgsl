fn forward(x: f32, p: f32, q: f32) -> f32 {
  let bits = bitcast<u32>(x);
  if (is_nan(x)) { return x; }
  if ((bits & 0x7fffffffu) == 0u) { return bitcast<f32>(bitcast<u32>(infinity()) | bits); }
  if (bits == 0x7f800000u) { return 0.0; }
  if ((bits >> 31u) == 1u) { return nan(); }
  return inverseSqrt(x);
}
