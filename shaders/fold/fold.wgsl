// (outer, count, inner) -> (outer, parts, inner), as reduce.wgsl, of what becomes of each term. `most` and `rest` hold one number
// for each (outer, inner), which terms are taken relative to.
struct Args {
  x: u32, y: u32, most: u32, rest: u32, outputs: u32, count: u32, inner: u32, parts: u32, chunk: u32,
  divisor: f32, p: f32, zero: u32,
}
override KIND: u32; // 0 sum, 1 largest, 2 product
override TERM: u32; // 0 x, 1 |x|, 2 (x / m)^2, 3 |x / m|^p, 4 exp(x - m), 5 x - m, 6 (x - m - rest)^2
override FINISH: u32; // 0 s / divisor, 1 sqrt(s / divisor), 2 m sqrt(s), 3 m s^(1 / p), 4 m + log(s)
var<workgroup> factors: array<f32, LANES>;

// Nothing but 0 is smaller than the least normal number.
fn power(t: f32, p: f32) -> f32 {
  if (is_nan(t)) { return t; }
  if (t < 1.17549435e-38) { return 0.0; }
  return exp_safe(p * log_safe(t));
}

fn term(x: f32, m: f32, rest: f32) -> f32 {
  switch (TERM) {
    case 1u: { return abs(x); }
    case 2u: { let t = x / m; return t * t; }
    case 3u: { return power(abs(x) / m, args.p); }
    case 4u: { return shifted_exp(x, m); }
    case 5u: { return x - m; }
    case 6u: { let d = (x - m) - rest; return d * d; }
    default: { return x; }
  }
}

fn workgroup_product(l: u32, v: f32) -> f32 {
  factors[l] = v;
  for (var half = LANES / 2u; half > 0u; half >>= 1u) {
    workgroupBarrier();
    if (l < half) { factors[l] = factors[l] * factors[l + half]; }
  }
  return workgroupUniformLoad(&factors[0]);
}

fn quotient(s: f32) -> f32 {
  if (args.divisor != 0.0) { return s / args.divisor; }
  if (s > 0.0) { return infinity(); }
  return nan();
}

fn finished(s: f32, m: f32) -> f32 {
  if (FINISH <= 1u) {
    let v = quotient(s);
    if (FINISH == 1u && !is_nan(v)) { return sqrt(v); }
    return v;
  }
  // The largest is infinite or NaN: so is the result, whatever the terms have come to. A largest size may be 0.
  if ((bitcast<u32>(m) & 0x7f800000u) == 0x7f800000u) { return m; }
  if (FINISH == 4u) { return m + log_safe(s); }
  if (m == 0.0) { return 0.0; }
  if (FINISH == 2u) { return m * sqrt(s); }
  return m * exp_safe(log_safe(s) / args.p);
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let o = g.y * gs.x + g.x;
  if (o >= args.outputs) { return; }
  let row = o / args.inner;
  let column = o % args.inner;
  let outer = row / args.parts;
  let first = args.x + outer * args.count * args.inner + column;
  let m = load(args.most + outer * args.inner + column);
  let rest = load(args.rest + outer * args.inner + column);
  let start = (row % args.parts) * args.chunk;
  let end = min(args.count, start + args.chunk);
  var all = 0.0;
  if (KIND == 1u) {
    if (TERM == 0u) { all = -infinity(); }
    for (var c = start + l; c < end; c += LANES) { all = max_nan(all, term(load(first + c * args.inner), m, rest)); }
    all = workgroup_max(l, all);
  } else if (KIND == 2u) {
    all = 1.0;
    for (var c = start + l; c < end; c += LANES) { all = all * load(first + c * args.inner); }
    all = workgroup_product(l, all);
  } else {
    var sum = Sum();
    for (var c = start + l; c < end; c += LANES) { add(&sum, term(load(first + c * args.inner), m, rest)); }
    all = finished(workgroup_sum(l, total(sum)), m);
  }
  if (l == 0u) { store(args.y + o, all); }
}
