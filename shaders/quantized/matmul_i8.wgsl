// The int8 side of a product: y = table[clamp(requantize(bias + x W^T) + zero point)], u8 x i8 -> u8, exact in int32. Joined to
// a product_*.wgsl, which says who computes what, and to a dot4(). See src/ops/quantized.ts. A term here is a word of four
// neighbouring k; x becomes signed by x - 128, for which the packed bias makes up.
//     weight, packed by matmul_i8_pack.wgsl    [word of four k][column, up to a multiple of 4]
//     bias, packed                             [column]
//     y                                        [row][columns up to a multiple of 4], bytes
struct Args {
  x: u32, weight: u32, bias: u32, multiplier: u32, table: u32, y: u32, m: u32, n: u32, k: u32,
  tiles_m: u32, tiles_n: u32, tiles: u32, batches: u32, chunk: u32,
  shift: u32, zero_point: i32, low: i32, high: i32, zero: u32,
}
override TABLE: u32;
override EDGES: u32; // 0: tiles divide m, n and the words of K evenly, and rows are whole words
override WORDS: u32; // 1: K is a multiple of 4, so that rows are whole words

alias Quad = vec4<u32>;
alias Sum = vec4<i32>;

const SUMS = 0u;
fn tally(s: Sum, a: Quad, b: Quad, c: Quad, d: Quad) -> Sum { return s; }
fn finish_tally(batch: u32, i: u32, sum: Sum) {}

fn madd(s: Sum, x: u32, w: Quad) -> Sum { return s + Sum(dot4(x, w.x), dot4(x, w.y), dot4(x, w.z), dot4(x, w.w)); }

fn terms() -> u32 { return (args.k + 3u) >> 2u; }
fn padded() -> u32 { return (args.n + 3u) & ~3u; }

// The four x from byte `at` on, minus 128. What follows the last of a row meets weights of 0.
fn word_at(at: u32) -> u32 {
  let w = arena[args.x + (at >> 2u)];
  if (WORDS == 1u || (at & 3u) == 0u) { return w ^ 0x80808080u; }
  let shift = (at & 3u) * 8u;
  return ((w >> shift) | (arena[args.x + (at >> 2u) + 1u] << (32u - shift))) ^ 0x80808080u;
}

fn words_of(i: u32, q: u32) -> Quad {
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

fn patch_a(batch: u32, i: u32, q: u32) -> array<Quad, 4> {
  let r0 = words_of(i, q);
  let r1 = words_of(i + 1u, q);
  let r2 = words_of(i + 2u, q);
  let r3 = words_of(i + 3u, q);
  return array<Quad, 4>(
    Quad(r0.x, r1.x, r2.x, r3.x), Quad(r0.y, r1.y, r2.y, r3.y), Quad(r0.z, r1.z, r2.z, r3.z), Quad(r0.w, r1.w, r2.w, r3.w),
  );
}

fn weights_of(j: u32, q: u32) -> Quad {
  if (EDGES == 1u && (j >= args.n || q >= terms())) { return Quad(); }
  let at = args.weight + q * padded() + j;
  return Quad(weight_word(at), weight_word(at + 1u), weight_word(at + 2u), weight_word(at + 3u));
}

fn patch_b(batch: u32, j: u32, q: u32) -> array<Quad, 4> {
  return array<Quad, 4>(weights_of(j, q), weights_of(j, q + 1u), weights_of(j, q + 2u), weights_of(j, q + 3u));
}

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

// The byte of column j.
fn quantized(sum: i32, j: u32) -> u32 {
  if (j >= args.n) { return 0u; }
  let acc = sum + bitcast<i32>(weight_word(args.bias + j));
  let scaled = requantize(acc, arena[args.multiplier + j], args.shift);
  let q = bitcast<u32>(clamp(scaled + args.zero_point, args.low, args.high));
  if (TABLE == 1u) { return load_byte(args.table, q); }
  return q;
}

// Four columns of row i, from column j on: one word.
fn finish(batch: u32, i: u32, j: u32, sum: Sum) {
  if (i >= args.m || j >= args.n) { return; }
  let low = quantized(sum.x, j) | (quantized(sum.y, j + 1u) << 8u);
  let high = quantized(sum.z, j + 2u) | (quantized(sum.w, j + 3u) << 8u);
  arena[args.y + (i * padded() + j) / 4u] = low | (high << 16u);
}
