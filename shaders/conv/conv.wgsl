// The f32 side of a convolution: a product whose A is made of an image, a row for each window and a column for each channel of
// each tap; or with WEIGHTS transposed. Joined to a product_*.wgsl, to taps.wgsl and to an activation; see matmul.wgsl.
//     third    [results] the bias; or [like C] what the derivative is computed from
struct Args {
  taps: Taps,
  a: u32, b: u32, third: u32, c: u32, m: u32, n: u32, k: u32, taken: u32, results: u32,
  tiles_m: u32, tiles_n: u32, tiles: u32, batches: u32, chunk: u32, p: f32, zero: u32,
}
override WEIGHTS: u32;
override BIAS: u32;
override DERIVATIVE: u32;
override SUMS: u32; // none are made here
override WHOLE: u32; // 1: channels of a group and results are multiples of 4, so that no group of four is cut

alias Quad = vec4<f32>;
alias Sum = vec4<f32>;

fn madd(s: Sum, a: f32, b: Quad) -> Sum { return s + a * b; }
fn tally(s: Sum, a: Quad, b: Quad, c: Quad, d: Quad) -> Sum { return s; }
fn finish_tally(batch: u32, i: u32, sum: Sum) {}

// Four elements, of which the first `left` are inside; the others are 0.
fn span(at: u32, left: u32) -> Quad {
  if (WHOLE == 1u || left >= 4u) { return load_four(at); }
  var v = Quad();
  if (left > 0u) { v.x = load(at); }
  if (left > 1u) { v.y = load(at + 1u); }
  if (left > 2u) { v.z = load(at + 2u); }
  return v;
}

// The same of the weights.
fn weight_span(at: u32, left: u32) -> Quad {
  if (WHOLE == 1u || left >= 4u) { return load_weight_four(at); }
  var v = Quad();
  if (left > 0u) { v.x = load_weight(at); }
  if (left > 1u) { v.y = load_weight(at + 1u); }
  if (left > 2u) { v.z = load_weight(at + 2u); }
  return v;
}

// Of a window, what stands in columns `column`... of its row; `windows` and `columns`: how many there are.
fn row_of(base: u32, window: u32, windows: u32, column: u32, columns: u32) -> Quad {
  var v = Quad();
  if (window >= windows || column >= columns) { return v; }
  let w = window_of(window);
  let channels = args.taps.channels;
  let across = args.taps.taps_across;
  var tap = column / args.taken;
  var channel = column % args.taken;
  if (channel + 4u <= args.taken) {
    let pixel = pixel_of(w, tap / across, tap % across);
    if (pixel < 0) { return v; }
    return load_four(base + u32(pixel) * channels + channel);
  }
  for (var i = 0u; i < 4u && column + i < columns; i++) {
    let pixel = pixel_of(w, tap / across, tap % across);
    if (pixel >= 0) { v[i] = load(base + u32(pixel) * channels + channel); }
    channel++;
    if (channel == args.taken) {
      channel = 0u;
      tap++;
    }
  }
  return v;
}

fn patch_a(batch: u32, i: u32, k: u32) -> array<Quad, 4> {
  let base = args.a + batch * args.taken;
  if (WEIGHTS == 1u) {
    return array<Quad, 4>(
      row_of(base, k, args.k, i, args.m), row_of(base, k + 1u, args.k, i, args.m),
      row_of(base, k + 2u, args.k, i, args.m), row_of(base, k + 3u, args.k, i, args.m),
    );
  }
  let t = transpose(mat4x4<f32>(
    row_of(base, i, args.m, k, args.k), row_of(base, i + 1u, args.m, k, args.k),
    row_of(base, i + 2u, args.m, k, args.k), row_of(base, i + 3u, args.m, k, args.k),
  ));
  return array<Quad, 4>(t[0], t[1], t[2], t[3]);
}

fn patch_b(batch: u32, j: u32, k: u32) -> array<Quad, 4> {
  let at = args.b + batch * args.n + k * args.results + j;
  let left = select(0u, args.n - j, j < args.n);
  return array<Quad, 4>(
    line(at, k, left), line(at + args.results, k + 1u, left),
    line(at + 2u * args.results, k + 2u, left), line(at + 3u * args.results, k + 3u, left),
  );
}

fn line(at: u32, k: u32, left: u32) -> Quad {
  if (k >= args.k || left == 0u) { return Quad(); }
  return weight_span(at, left);
}

fn terms() -> u32 { return args.k; }

// Four columns of row i of group `batch`, from column j on.
fn finish(batch: u32, i: u32, j: u32, sum: Sum) {
  if (i >= args.m || j >= args.n) { return; }
  var row = i;
  if (WEIGHTS == 0u) { row = place_out(window_of(i)); }
  let at = row * args.results + batch * args.n + j;
  var v = sum;
  if (DERIVATIVE == 1u) {
    let s = span(args.third + at, args.n - j);
    v = Quad(backward(v.x, s.x, args.p), backward(v.y, s.y, args.p), backward(v.z, s.z, args.p), backward(v.w, s.w, args.p));
  } else {
    if (BIAS == 1u) { v += span(args.third + batch * args.n + j, args.n - j); }
    v = Quad(forward(v.x, args.p), forward(v.y, args.p), forward(v.z, args.p), forward(v.w, args.p));
  }
  put(args.c + at, args.n - j, v);
}

// Four results, or `left`.
fn put(at: u32, left: u32, v: Quad) {
  if (WHOLE == 1u || left > 3u) { store_four(at, v); return; }
  store(at, v.x);
  if (left > 1u) { store(at + 1u, v.y); }
  if (left > 2u) { store(at + 2u, v.z); }
}
