// Gradients of products, norms and sums of exponentials: dx of dy and y (outer, inner) and x (outer, count, inner). A workgroup for
// each output.
struct Args { dy: u32, x: u32, y: u32, dx: u32, outputs: u32, count: u32, inner: u32, p: f32, zero: u32 }
override KIND: u32; // 0 prod, 1 sum of sizes, 2 euclidean, 3 largest size, 4 p norm, 5 logsumexp
var<workgroup> factors: array<f32, LANES>;

fn workgroup_product(l: u32, v: f32) -> f32 {
  factors[l] = v;
  for (var half = LANES / 2u; half > 0u; half >>= 1u) {
    workgroupBarrier();
    if (l < half) { factors[l] = factors[l] * factors[l + half]; }
  }
  return workgroupUniformLoad(&factors[0]);
}

// 0 of NaN.
fn sign_of(x: f32) -> f32 {
  if (is_nan(x)) { return 0.0; }
  return sign(x);
}

// Denormals too, which may have been flushed to 0 in a product that is divided by them.
fn is_zero(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) < 0x00800000u; }

fn size_is(x: f32, y: f32) -> bool { return !is_nan(x) && !is_nan(y) && abs(x) == y; }

// `found`: how many are 0, or of the largest size; `product`: of those that are not 0.
fn share(x: f32, dy: f32, y: f32, found: f32, product: f32) -> f32 {
  switch (KIND) {
    case 0u: {
      if (is_zero(x)) { return select(0.0, dy * product, found == 1.0); }
      if (is_nan(x)) { return x; }
      return select(0.0, dy * product / x, found == 0.0);
    }
    case 1u: { return sign_of(x) * dy; }
    case 2u: {
      if (is_zero(y)) { return 0.0; }
      return x * (dy / y);
    }
    case 3u: {
      if (size_is(x, y)) { return sign_of(x) * dy / found; }
      return 0.0;
    }
    case 4u: {
      if (is_zero(x)) { return 0.0; }
      let t = abs(x / y);
      if (is_nan(t)) { return t; }
      if (t < 1.17549435e-38) { return 0.0; }
      return sign_of(x) * exp_safe((args.p - 1.0) * log_safe(t)) * dy;
    }
    default: { return shifted_exp(x, y) * dy; }
  }
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let o = g.y * gs.x + g.x;
  if (o >= args.outputs) { return; }
  let first = (o / args.inner) * args.count * args.inner + o % args.inner;
  let dy = load(args.dy + o);
  let y = load(args.y + o);
  var found = 0.0;
  var product = 1.0;
  if (KIND == 0u || KIND == 3u) {
    for (var c = l; c < args.count; c += LANES) {
      let x = load(args.x + first + c * args.inner);
      if (KIND == 3u) {
        if (size_is(x, y)) { found += 1.0; }
      } else if (is_zero(x)) {
        found += 1.0;
      } else {
        product = product * x;
      }
    }
    found = workgroup_sum(l, found);
    if (KIND == 0u) { product = workgroup_product(l, product); }
  }
  for (var c = l; c < args.count; c += LANES) {
    let at = first + c * args.inner;
    store(args.dx + at, share(load(args.x + at), dy, y, found, product));
  }
}
