// y = table[clamp(requantize(bias + x W^T) + zero point)], u8 x i8 -> u8, exact in int32; an invocation makes one word of
// output, four neighbouring elements (which may belong to two rows). See src/ops/quantized.ts.
struct Args {
  x: u32, weight: u32, bias: u32, multiplier: u32, table: u32, y: u32, count: u32, n: u32, k: u32,
  shift: u32, zero_point: i32, low: i32, high: i32, zero: u32,
}
override TABLE: u32;
override WORDS: u32; // 1: K is a multiple of 4, so that rows are whole words

fn dot_words(x: u32, w: u32) -> i32 {
  let a = vec4<i32>(vec4<u32>(x, x >> 8u, x >> 16u, x >> 24u) & vec4<u32>(0xffu));
  let b = bitcast<vec4<i32>>(vec4<u32>(w << 24u, w << 16u, w << 8u, w)) >> vec4<u32>(24u);
  return a.x * b.x + a.y * b.y + a.z * b.z + a.w * b.w;
}

fn accumulate(row: u32, column: u32) -> i32 {
  var acc = bitcast<i32>(arena[args.bias + column]);
  if (WORDS == 1u) {
    let words = args.k >> 2u;
    for (var l = 0u; l < words; l++) { acc += dot_words(arena[args.x + row * words + l], arena[args.weight + column * words + l]); }
    return acc;
  }
  for (var l = 0u; l < args.k; l++) {
    acc += i32(load_byte(args.x, row * args.k + l)) * sign_extend(load_byte(args.weight, column * args.k + l));
  }
  return acc;
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

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let i = position(g, gs, l);
  if (i * 4u >= args.count) { return; }
  var word = 0u;
  for (var b = 0u; b < 4u; b++) {
    let e = i * 4u + b;
    if (e >= args.count) { continue; }
    let column = e % args.n;
    let acc = accumulate(e / args.n, column);
    let scaled = requantize(acc, arena[args.multiplier + column], args.shift);
    var q = bitcast<u32>(clamp(scaled + args.zero_point, args.low, args.high));
    if (TABLE == 1u) { q = load_byte(args.table, q); }
    word |= q << (b * 8u);
  }
  arena[args.y + i] = word;
}
