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
  if (KIND == 1u) { y = max_nan(x, 0.0) - x * t + log1p_safe(exp_safe(-abs(x))); }
  if (KIND == 2u) {
    let size = abs(d);
    y = args.delta * (size - 0.5 * args.delta);
    if (size <= args.delta) { y = 0.5 * size * size; }
    if (is_nan(d)) { y = d; }
  }
  store(args.y + i, y);
}
