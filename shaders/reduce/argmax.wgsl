// First position of the largest of each row, or smallest, of the first NaN if there is one; one invocation for each row.
struct Args { x: u32, y: u32, rows: u32, n: u32, zero: u32 }
override BYTES: u32; // 1: u8, 0: f32
override SIGN: f32; // -1: the smallest

fn value(r: u32, i: u32) -> f32 {
  if (BYTES == 1u) { return SIGN * f32(load_byte(args.x, r * args.n + i)); }
  return SIGN * load(args.x + r * args.n + i);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let r = position(g, gs, l);
  if (r >= args.rows) { return; }
  var best = 0u;
  var most = value(r, 0u);
  for (var i = 1u; i < args.n && !is_nan(most); i++) {
    let now = value(r, i);
    if (is_nan(now) || now > most) {
      most = now;
      best = i;
    }
  }
  arena[args.y + r] = best;
}
