// The f32 side of a product: C = forward(A B + bias), or C = backward(A B, saved). Joined to a product_*.wgsl, which says
// who computes what, and to an activation. A patch is 4 x 4 elements of an operand, k running over the array and rows or
// columns over the lanes.
//     third    [n] the bias; or [like C] what the derivative is computed from; or [m] where the sums of A's rows go
struct Args {
  a: u32, b: u32, third: u32, c: u32, m: u32, n: u32, k: u32, batch_a: u32, batch_b: u32,
  tiles_m: u32, tiles_n: u32, tiles: u32, batches: u32, chunk: u32, p: f32, zero: u32,
}
override TRANSPOSE_A: u32;
override TRANSPOSE_B: u32;
override BIAS: u32;
override DERIVATIVE: u32;
override SUMS: u32; // 1: the sums of A's rows as well, A being transposed
override WHOLE: u32; // 1: rows of A, B and C are multiples of 4 long, so that no group of four is cut by an edge
override EDGES: u32; // 0: tiles divide m, n and k evenly, so that every patch is inside
override PART: u32; // 1: sums over a part of K, one part behind the other, for matmul_join.wgsl

alias Quad = vec4<f32>;
alias Sum = vec4<f32>;

fn madd(s: Sum, a: f32, b: Quad) -> Sum { return s + a * b; }
// Four terms pair by pair: a sum of them all passes each through a quarter of the roundings.
fn tally(s: Sum, a: Quad, b: Quad, c: Quad, d: Quad) -> Sum { return s + ((a + b) + (c + d)); }

// Four elements, of which the first `left` are inside; the others are 0.
fn span(at: u32, left: u32) -> Quad {
  if (left >= 4u) { return load_four(at); }
  var v = Quad();
  if (WHOLE == 1u) { return v; }
  if (left > 0u) { v.x = load(at); }
  if (left > 1u) { v.y = load(at + 1u); }
  if (left > 2u) { v.z = load(at + 2u); }
  return v;
}

// Rows `line`... and columns `column`... of a matrix of lines x length.
fn corner(base: u32, line: u32, lines: u32, column: u32, length: u32) -> array<Quad, 4> {
  let at = base + line * length + column;
  if (EDGES == 0u) {
    return array<Quad, 4>(load_four(at), load_four(at + length), load_four(at + 2u * length), load_four(at + 3u * length));
  }
  let left = select(0u, length - column, column < length);
  return array<Quad, 4>(
    span(at, select(0u, left, line < lines)),
    span(at + length, select(0u, left, line + 1u < lines)),
    span(at + 2u * length, select(0u, left, line + 2u < lines)),
    span(at + 3u * length, select(0u, left, line + 3u < lines)),
  );
}

// The same of B, which may be weights that lie apart.
fn weight_span(at: u32, left: u32) -> Quad {
  if (left >= 4u) { return load_weight_four(at); }
  var v = Quad();
  if (WHOLE == 1u) { return v; }
  if (left > 0u) { v.x = load_weight(at); }
  if (left > 1u) { v.y = load_weight(at + 1u); }
  if (left > 2u) { v.z = load_weight(at + 2u); }
  return v;
}

fn weight_corner(base: u32, line: u32, lines: u32, column: u32, length: u32) -> array<Quad, 4> {
  let at = base + line * length + column;
  if (EDGES == 0u) {
    return array<Quad, 4>(load_weight_four(at), load_weight_four(at + length), load_weight_four(at + 2u * length), load_weight_four(at + 3u * length));
  }
  let left = select(0u, length - column, column < length);
  return array<Quad, 4>(
    weight_span(at, select(0u, left, line < lines)),
    weight_span(at + length, select(0u, left, line + 1u < lines)),
    weight_span(at + 2u * length, select(0u, left, line + 2u < lines)),
    weight_span(at + 3u * length, select(0u, left, line + 3u < lines)),
  );
}

fn turned(p: array<Quad, 4>) -> array<Quad, 4> {
  let t = transpose(mat4x4<f32>(p[0], p[1], p[2], p[3]));
  return array<Quad, 4>(t[0], t[1], t[2], t[3]);
}

fn patch_a(batch: u32, i: u32, k: u32) -> array<Quad, 4> {
  let base = args.a + batch * args.batch_a;
  if (TRANSPOSE_A == 1u) { return corner(base, k, args.k, i, args.m); }
  return turned(corner(base, i, args.m, k, args.k));
}

fn patch_b(batch: u32, j: u32, k: u32) -> array<Quad, 4> {
  let base = args.b + batch * args.batch_b;
  if (TRANSPOSE_B == 1u) { return turned(weight_corner(base, j, args.n, k, args.k)); }
  return weight_corner(base, k, args.k, j, args.n);
}

fn terms() -> u32 { return args.k; }

// Four columns of row i of product `batch` (of `batch` + part * batches, if in parts), from column j on.
fn finish(batch: u32, i: u32, j: u32, sum: Sum) {
  if (i >= args.m || j >= args.n) { return; }
  let at = args.c + (batch * args.m + i) * args.n + j;
  var v = sum;
  if (DERIVATIVE == 1u) {
    let s = span(args.third + (at - args.c), args.n - j);
    v = Quad(backward(v.x, s.x, args.p), backward(v.y, s.y, args.p), backward(v.z, s.z, args.p), backward(v.w, s.w, args.p));
  } else if (PART == 0u) {
    if (BIAS == 1u) { v += span(args.third + j, args.n - j); }
    v = Quad(forward(v.x, args.p), forward(v.y, args.p), forward(v.z, args.p), forward(v.w, args.p));
  }
  put(at, args.n - j, v);
}

// Four sums of A's rows, from row i on.
fn finish_tally(batch: u32, i: u32, sum: Sum) {
  if (i < args.m) { put(args.third + batch * args.m + i, args.m - i, sum); }
}

// Four results, or `left`.
fn put(at: u32, left: u32, v: Quad) {
  if (WHOLE == 1u || left > 3u) { store_four(at, v); return; }
  store(at, v.x);
  if (left > 1u) { store(at + 1u, v.y); }
  if (left > 2u) { store(at + 2u, v.z); }
}
