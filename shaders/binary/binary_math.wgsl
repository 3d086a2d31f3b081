override KIND: u32; // 6 pow, 7 fmod, 8 atan2

fn combined(first: u32, second: u32) -> u32 {
  if (KIND == 6u) { return bitcast<u32>(power(bitcast<f32>(first), bitcast<f32>(second))); }
  if (KIND == 7u) { return remainder_bits(first, second); }
  return bitcast<u32>(angle(first, second));
}

// a^b, with C's values at the ends.
fn power(a: f32, b: f32) -> f32 {
  let bits = bitcast<u32>(b) & 0x7fffffffu;
  if (bits == 0u || a == 1.0) { return 1.0; }
  if (is_nan(a)) { return a; }
  if (is_nan(b)) { return b; }
  let size = bitcast<u32>(a) & 0x7fffffffu;
  let endless = bits == 0x7f800000u;
  if (endless && size == 0x3f800000u) { return 1.0; }
  // From 2^24 on every float is an even number.
  let large = bits >= 0x4b800000u;
  let even = large || trunc(b * 0.5) == b * 0.5;
  let whole = even || trunc(b) == b;
  let negative = (bitcast<u32>(a) >> 31u) == 1u;
  var y = 0.0;
  if (size == 0u || size == 0x7f800000u || endless) {
    if ((size > 0x3f800000u) == (b > 0.0)) { y = infinity(); }
  } else {
    if (negative && !whole) { return nan(); }
    y = exp_safe(clamp(b * log_safe(abs(a)), -3e38, 3e38));
  }
  return select(y, -y, negative && whole && !even);
}

// The rest of |a| / |b| by long division of their mantissas, exactly; of the sign of a.
fn remainder_bits(first: u32, second: u32) -> u32 {
  let a = first & 0x7fffffffu;
  let b = second & 0x7fffffffu;
  if (a > 0x7f800000u) { return first; }
  if (b > 0x7f800000u) { return second; }
  if (a == 0x7f800000u || b == 0u) { return bitcast<u32>(nan()); }
  if (a < b) { return first; }
  var rest = (a & 0x7fffffu) | select(0u, 0x800000u, a >= 0x800000u);
  let divisor = (b & 0x7fffffu) | select(0u, 0x800000u, b >= 0x800000u);
  let exponent = max(b >> 23u, 1u);
  for (var e = max(a >> 23u, 1u); ; e--) {
    rest = rest % divisor;
    if (e == exponent || rest == 0u) { break; }
    rest = rest << 1u;
  }
  if (rest == 0u) { return first & 0x80000000u; }
  // Up to bit 23 it is a normal number again, as far as the exponent allows.
  let shift = min(countLeadingZeros(rest) - 8u, exponent - 1u);
  rest = rest << shift;
  let top = select(0u, exponent - shift, rest >= 0x800000u);
  return (first & 0x80000000u) | (top << 23u) | (rest & 0x7fffffu);
}

// The angle of the point (b, a): the arc tangent of the shorter leg over the longer one.
fn angle(first: u32, second: u32) -> f32 {
  if (is_nan(bitcast<f32>(first))) { return bitcast<f32>(first); }
  if (is_nan(bitcast<f32>(second))) { return bitcast<f32>(second); }
  let up = first & 0x7fffffffu;
  let along = second & 0x7fffffffu;
  let least = min(up, along);
  let most = max(up, along);
  var t = 0.0;
  if (least == 0x7f800000u) {
    t = 0.785398163;
  } else if (most != 0u && most != 0x7f800000u) {
    t = atan_safe(bitcast<f32>(least) / bitcast<f32>(most));
  }
  if (up > along) { t = 1.57079633 - t; }
  if ((second >> 31u) == 1u) { t = 3.14159265 - t; }
  return bitcast<f32>(bitcast<u32>(t) | (first & 0x80000000u));
}
