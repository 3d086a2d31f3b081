fn forward(x: f32, p: f32, q: f32) -> f32 {
  let size = bitcast<u32>(x) & 0x7fffffffu;
  if (size == 0u || size > 0x7f800000u) { return select(x, 0.0, size == 0u); }
  return select(1.0, -1.0, (bitcast<u32>(x) >> 31u) == 1u);
}
