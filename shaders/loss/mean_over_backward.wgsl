// dy / total everywhere; 0 where that is 0.
struct Args { dy: u32, total: u32, dx: u32, n: u32, zero: u32 }

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let i = position(g, gs, l);
  if (i >= args.n) { return; }
  let total = load(args.total);
  var share = load(args.dy) / total;
  if (total == 0.0) { share = 0.0; }
  store(args.dx + i, share);
}
