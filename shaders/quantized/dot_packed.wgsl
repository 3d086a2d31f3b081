// The sum of four products of signed bytes, by the language feature packed_4x8_integer_dot_product.
fn dot4(x: u32, w: u32) -> i32 { return dot4I8Packed(x, w); }
