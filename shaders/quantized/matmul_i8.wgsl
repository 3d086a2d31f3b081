// Rows of an int8 product that lie in memory; see columns_i8.wgsl.
struct Args {
  x: u32, weight: u32, multiplier: u32, table: u32, y: u32, m: u32, n: u32, k: u32,
  tiles_m: u32, tiles_n: u32, tiles: u32, batches: u32, chunk: u32,
  shift: u32, zero_point: i32, low: i32, high: i32, zero: u32,
}
override EDGES: u32; // 0: tiles divide m, n and the words of K evenly, and rows are whole words
override WORDS: u32; // 1: K is a multiple of 4, so that rows are whole words

// The four x from byte `at` on, minus 128. What follows the last of a row meets weights of 0.
fn word_at(at: u32) -> u32 {
  let w = arena[args.x + (at >> 2u)];
  if (WORDS == 1u || (at & 3u) == 0u) { return w ^ 0x80808080u; }
  let shift = (at & 3u) * 8u;
  return ((w >> shift) | (arena[args.x + (at >> 2u) + 1u] << (32u - shift))) ^ 0x80808080u;
}

fn words_of(batch: u32, i: u32, q: u32) -> Quad {
  let at = i * args.k + q * 4u;
  if (EDGES == 0u) {
    let w = args.x + at / 4u;
    return Quad(arena[w], arena[w + 1u], arena[w + 2u], arena[w + 3u]) ^ Quad(0x80808080u);
  }
  if (i >= args.m) { return Quad(); }
  let left = terms() - min(q, terms());
  var v = Quad();
  if (left > 0u) { v.x = word_at(at); }
  if (left > 1u) { v.y = word_at(at + 4u); }
  if (left > 2u) { v.z = word_at(at + 8u); }
  if (left > 3u) { v.w = word_at(at + 12u); }
  return v;
}
