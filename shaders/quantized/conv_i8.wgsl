// Rows of an int8 product that are made of an image of bytes, a row for each window and a column for each channel of each tap;
// what lies outside is the input's zero point. Joined to taps.wgsl; see columns_i8.wgsl.
struct Args {
  taps: Taps,
  x: u32, weight: u32, multiplier: u32, table: u32, y: u32, m: u32, n: u32, k: u32,
  tiles_m: u32, tiles_n: u32, tiles: u32, batches: u32, chunk: u32,
  shift: u32, zero_point: i32, low: i32, high: i32, taken: u32, input_zero: u32, zero: u32,
}
override EDGES: u32; // 0: tiles divide m, n and the words of K evenly
override WORDS: u32; // 1: channels of a group are a multiple of 4, so that no word is of two taps

// The byte of term k, of a group whose first channel is `first`.
fn byte_of(w: Window, first: u32, k: u32) -> u32 {
  let tap = k / args.taken;
  let pixel = pixel_of(w, tap / args.taps.taps_across, tap % args.taps.taps_across);
  if (pixel < 0) { return args.input_zero; }
  return load_byte(args.x, u32(pixel) * args.taps.channels + first + k % args.taken);
}

// The four x from term k on, minus 128. What follows the last of a row meets weights of 0.
fn word_of(w: Window, first: u32, k: u32) -> u32 {
  var word = 0u;
  if (WORDS == 1u) {
    let tap = k / args.taken;
    let pixel = pixel_of(w, tap / args.taps.taps_across, tap % args.taps.taps_across);
    word = args.input_zero * 0x01010101u;
    if (pixel >= 0) { word = arena[args.x + (u32(pixel) * args.taps.channels + first + k % args.taken) / 4u]; }
  } else {
    for (var b = 0u; b < 4u && k + b < args.k; b++) { word |= byte_of(w, first, k + b) << (b * 8u); }
  }
  return word ^ 0x80808080u;
}

fn words_of(batch: u32, i: u32, q: u32) -> Quad {
  if (i >= args.m) { return Quad(); }
  let w = window_of(i);
  let first = batch * args.taken;
  let left = terms() - min(q, terms());
  var v = Quad();
  if (left > 0u) { v.x = word_of(w, first, q * 4u); }
  if (left > 1u) { v.y = word_of(w, first, q * 4u + 4u); }
  if (left > 2u) { v.z = word_of(w, first, q * 4u + 8u); }
  if (left > 3u) { v.w = word_of(w, first, q * 4u + 12u); }
  return v;
}
