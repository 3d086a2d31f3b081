override KIND: u32; // 0 add, 1 sub, 2 mul, 3 div, 4 maximum, 5 minimum; of i32: 16 add, 17 sub, 18 mul, 19 maximum, 20 minimum

fn combined(first: u32, second: u32) -> u32 {
  if (KIND >= 16u) {
    let a = bitcast<i32>(first);
    let b = bitcast<i32>(second);
    var y = a + b;
    if (KIND == 17u) { y = a - b; }
    if (KIND == 18u) { y = a * b; }
    if (KIND == 19u) { y = max(a, b); }
    if (KIND == 20u) { y = min(a, b); }
    return bitcast<u32>(y);
  }
  let a = bitcast<f32>(first);
  let b = bitcast<f32>(second);
  if (is_nan(a)) { return first; }
  if (is_nan(b)) { return second; }
  if (KIND == 4u) { return select(first, second, a < b); }
  if (KIND == 5u) { return select(first, second, b < a); }
  var y = a + b;
  if (KIND == 1u) { y = a - b; }
  if (KIND == 2u) { y = a * b; }
  if (KIND == 3u) { y = a / b; }
  return bitcast<u32>(y);
}
