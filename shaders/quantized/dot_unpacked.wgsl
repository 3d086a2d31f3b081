// The sum of four products of signed bytes, by plain integer arithmetic.
fn bytes_of(w: u32) -> vec4<i32> { return bitcast<vec4<i32>>(vec4<u32>(w << 24u, w << 16u, w << 8u, w)) >> vec4<u32>(24u); }
fn dot4(x: u32, w: u32) -> i32 {
  let a = bytes_of(x);
  let b = bytes_of(w);
  return a.x * b.x + a.y * b.y + a.z * b.z + a.w * b.w;
}
