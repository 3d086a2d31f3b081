// |acc| * multiplier in 64 bits from 16-bit halves, plus a half, shifted: halves away from zero, as the sign comes back
// last. Results beyond 2^24 saturate; they will be clamped to 8 bits.
fn requantize(acc: i32, multiplier: u32, shift: u32) -> i32 {
  let size = select(bitcast<u32>(acc), ~bitcast<u32>(acc) + 1u, acc < 0);
  let a = size & 0xffffu;
  let b = size >> 16u;
  let c = multiplier & 0xffffu;
  let d = multiplier >> 16u;
  let middle = b * c + ((a * c) >> 16u);
  let middle2 = a * d + (middle & 0xffffu);
  var low = (middle2 << 16u) | ((a * c) & 0xffffu);
  var high = b * d + (middle >> 16u) + (middle2 >> 16u);
  let half_low = select(0u, 1u << ((shift - 1u) & 31u), shift <= 32u);
  let half_high = select(1u << ((shift - 33u) & 31u), 0u, shift <= 32u);
  let sum = low + half_low;
  high = high + half_high + select(0u, 1u, sum < low);
  low = sum;
  var q = 0u;
  if (shift >= 32u) { q = high >> (shift - 32u); }
  else {
    q = (low >> shift) | (high << (32u - shift));
    if ((high >> shift) > 0u) { q = 0xffffffffu; }
  }
  let small = i32(min(q, 1u << 24u));
  return select(small, -small, acc < 0);
}
