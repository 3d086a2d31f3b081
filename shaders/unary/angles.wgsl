// sin(x + quarters pi / 2). Beyond pi / 4, x 2 / pi is multiplied out as far as quarters and 64 bits below them go.
fn sine(x: f32, quarters: u32) -> f32 {
  let bits = bitcast<u32>(x) & 0x7fffffffu;
  if (is_nan(x)) { return x; }
  if (bits == 0x7f800000u) { return nan(); }
  var r = abs(x);
  var quarter = quarters;
  if (r > 0.785398) {
    let reduced = turn(bits);
    r = reduced.rest;
    quarter = select(quarters + reduced.quarter, quarters - reduced.quarter, x < 0.0);
  }
  if (x < 0.0) { r = -r; }
  let z = r * r;
  var y = r + r * z * (-1.6666654611e-1 + z * (8.3321608736e-3 + z * -1.9515295891e-4));
  if ((quarter & 1u) == 1u) {
    y = 1.0 - 0.5 * z + z * z * (4.166664568298827e-2 + z * (-1.388731625493765e-3 + z * 2.443315711809948e-5));
  }
  return select(y, -y, (quarter & 2u) == 2u);
}

struct Turn { quarter: u32, rest: f32 }

// 2 / pi as a binary fraction behind 32 zeros.
fn two_by_pi(word: u32) -> u32 {
  var parts = array<u32, 8>(
    0u, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u, 0x3c439041u, 0xfe5163abu);
  return parts[word];
}

fn joined(word: u32, shift: u32) -> u32 {
  if (shift == 0u) { return two_by_pi(word); }
  return (two_by_pi(word) << shift) | (two_by_pi(word + 1u) >> (32u - shift));
}

fn high_product(a: u32, b: u32) -> u32 {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let first = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let second = (a & 0xffffu) * (b >> 16u) + (first & 0xffffu);
  return (a >> 16u) * (b >> 16u) + (first >> 16u) + (second >> 16u);
}

// |x| = m 2^e with a whole m of 24 bits: of 2^(e - 2) 2 / pi only the fraction counts, 96 bits of it.
fn turn(bits: u32) -> Turn {
  let m = (bits & 0x7fffffu) | 0x800000u;
  let skipped = (bits >> 23u) - 120u;
  let word = skipped >> 5u;
  let shift = skipped & 31u;
  let middle = joined(word + 1u, shift);
  let carried = high_product(m, joined(word + 2u, shift));
  var low = m * middle + carried;
  var high = m * joined(word, shift) + high_product(m, middle) + select(0u, 1u, low < carried);
  let quarter = (high + 0x20000000u) >> 30u;
  high -= quarter << 30u;
  let negative = (high >> 31u) == 1u;
  if (negative) {
    low = ~low + 1u;
    high = ~high + select(0u, 1u, low == 0u);
  }
  var zeros = countLeadingZeros(high);
  var top = high;
  if (high == 0u) {
    zeros = 32u + min(countLeadingZeros(low), 31u);
    top = low << (zeros - 32u);
  } else if (zeros > 0u) {
    top = (high << zeros) | (low >> (32u - zeros));
  }
  let rest = f32(top) * power_of_two(-30 - i32(zeros)) * 1.57079633;
  return Turn(quarter & 3u, select(rest, -rest, negative));
}
