// First position of the largest of each row, or smallest, of the first NaN if there is one; one invocation for each row.
struct Args { x: u32, y: u32, rows: u32, n: u32, zero: u32 }
override LEAST: u32; // 1: the smallest

fn key_of(r: u32, i: u32) -> u32 {
  let key = ordered(word_of(args.x, r * args.n + i));
  return select(key, ~key, LEAST == 1u && (TYPE != 0u || key != NAN_KEY));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let r = position(g, gs, l);
  if (r >= args.rows) { return; }
  var best = 0u;
  var most = key_of(r, 0u);
  for (var i = 1u; i < args.n; i++) {
    let now = key_of(r, i);
    if (now > most) {
      most = now;
      best = i;
    }
  }
  arena[args.y + r] = best;
}
