// A loss of each element.
struct Args { x: u32, t: u32, y: u32, n: u32, delta: f32, zero: u32 }
override KIND: u32; // 0 mse, 1 bce_with_logits, 2 huber

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let i = position(g, gs, l);
  if (i >= args.n) { return; }
  let x = load(args.x + i);
  let t = load(args.t + i);
  let d = x - t;
  var y = d * d;
  if (KIND == 1u) {
    // (1 - t) max(x, 0) + t max(-x, 0): nothing cancels, and a share of 0 makes no NaN of an infinity.
    let wrong = select(t, 1.0 - t, x > 0.0);
    y = log1p_safe(exp_safe(-abs(x)));
    if (wrong != 0.0) { y += wrong * abs(x); }
    if (is_nan(t)) { y = t; }
  }
  if (KIND == 2u) {
    let size = abs(d);
    y = args.delta * (size - 0.5 * args.delta);
    if (size <= args.delta) { y = 0.5 * size * size; }
    if (is_nan(d)) { y = d; }
  }
  store(args.y + i, y);
}
