// The largest of each window, NaN where there is one; one invocation for each window.
struct Args { windows: Windows, x: u32, y: u32, n: u32, zero: u32 }

fn value_of(at: u32) -> f32 { return load(args.x + at); }

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let w = position(g, gs, l);
  if (w >= args.n) { return; }
  let best = winner(w);
  if (best.found) { arena[args.y + w] = arena[args.x + best.at]; }
  else { store(args.y + w, -infinity()); }
}
