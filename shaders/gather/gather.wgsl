// y[o, c, i] = x[o, index[c], i], NaN outside.
struct Args { x: u32, indices: u32, y: u32, n: u32, size: u32, inner: u32, count: u32, zero: u32 }

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let e = position(g, gs, l);
  if (e >= args.n) { return; }
  let i = e % args.inner;
  let row = e / args.inner;
  let at = arena[args.indices + row % args.count];
  if (at < args.size) { arena[args.y + e] = arena[args.x + ((row / args.count) * args.size + at) * args.inner + i]; }
  else { store(args.y + e, nan()); }
}
