// The int8 side of a product: y = table[clamp(requantize(bias + x W^T) + zero point)], u8 x i8 -> u8, exact in int32. Joined to
// matmul_i8.wgsl or conv_i8.wgsl, which say what x is, to a product_*.wgsl, which says who computes what, to requantize.wgsl and to
// a dot4(). See src/ops/quantized.ts. A term here is a word of four neighbouring k; x becomes signed by x - 128, for which the packed
// bias makes up. Products of a batch have columns of their own, side by side.
//     weight, packed by matmul_i8_pack.wgsl    [product][word of four k][column, up to a multiple of 4]
//     bias, packed                             behind the weights of each product: [column]
//     y                                        [row][product][columns up to a multiple of 4], bytes
override TABLE: u32;

alias Quad = vec4<u32>;
alias Sum = vec4<i32>;

const SUMS = 0u;
fn tally(s: Sum, a: Quad, b: Quad, c: Quad, d: Quad) -> Sum { return s; }
fn finish_tally(batch: u32, i: u32, sum: Sum) {}

fn madd(s: Sum, x: u32, w: Quad) -> Sum { return s + Sum(dot4(x, w.x), dot4(x, w.y), dot4(x, w.z), dot4(x, w.w)); }

fn terms() -> u32 { return (args.k + 3u) >> 2u; }
fn padded() -> u32 { return (args.n + 3u) & ~3u; }

fn patch_a(batch: u32, i: u32, q: u32) -> array<Quad, 4> {
  let r0 = words_of(batch, i, q);
  let r1 = words_of(batch, i + 1u, q);
  let r2 = words_of(batch, i + 2u, q);
  let r3 = words_of(batch, i + 3u, q);
  return array<Quad, 4>(
    Quad(r0.x, r1.x, r2.x, r3.x), Quad(r0.y, r1.y, r2.y, r3.y), Quad(r0.z, r1.z, r2.z, r3.z), Quad(r0.w, r1.w, r2.w, r3.w),
  );
}

// Where the packed weights of a product begin; its bias is what follows them.
fn packed_of(batch: u32) -> u32 { return args.weight + batch * (terms() + 1u) * padded(); }

fn weights_of(batch: u32, j: u32, q: u32) -> Quad {
  if (EDGES == 1u && (j >= args.n || q >= terms())) { return Quad(); }
  let at = packed_of(batch) + q * padded() + j;
  return Quad(weight_word(at), weight_word(at + 1u), weight_word(at + 2u), weight_word(at + 3u));
}

fn patch_b(batch: u32, j: u32, q: u32) -> array<Quad, 4> {
  return array<Quad, 4>(weights_of(batch, j, q), weights_of(batch, j, q + 1u), weights_of(batch, j, q + 2u), weights_of(batch, j, q + 3u));
}

// The byte of column j of a product.
fn quantized(sum: i32, batch: u32, j: u32) -> u32 {
  if (j >= args.n) { return 0u; }
  let acc = sum + bitcast<i32>(weight_word(packed_of(batch) + terms() * padded() + j));
  let scaled = requantize(acc, arena[args.multiplier + batch * args.n + j], args.shift);
  let q = bitcast<u32>(clamp(scaled + args.zero_point, args.low, args.high));
  if (TABLE == 1u) { return load_byte(args.table, q); }
  return q;
}

// Four columns of row i, from column j on: one word.
fn finish(batch: u32, i: u32, j: u32, sum: Sum) {
  if (i >= args.m || j >= args.n) { return; }
  let low = quantized(sum.x, batch, j) | (quantized(sum.y, batch, j + 1u) << 8u);
  let high = quantized(sum.z, batch, j + 2u) | (quantized(sum.w, batch, j + 3u) << 8u);
  arena[args.y + ((i * args.batches + batch) * padded() + j) / 4u] = low | (high << 16u);
}
