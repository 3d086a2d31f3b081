// Unsigned integers in the order of what words of a type stand for: of floats -0 equals 0, and NaN is above all; bytes are what they are.
override TYPE: u32; // 0 f32, 1 i32, 2 u8
const NAN_KEY = 0xffffffffu;

fn ordered(word: u32) -> u32 {
  if (TYPE == 2u) { return word; }
  if (TYPE == 1u) { return word ^ 0x80000000u; }
  let size = word & 0x7fffffffu;
  if (size == 0u) { return 0x80000000u; }
  if (size > 0x7f800000u) { return NAN_KEY; }
  return select(word | 0x80000000u, ~word, (word >> 31u) == 1u);
}

fn word_of(base: u32, i: u32) -> u32 {
  if (TYPE == 2u) { return load_byte(base, i); }
  return arena[base + i];
}
