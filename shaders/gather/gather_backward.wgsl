// dx[o, s, i] = sum of dy[o, c, i] over the c that were gathered from s, in order: one invocation for each element, no
// atomics.
struct Args { dy: u32, indices: u32, dx: u32, n: u32, size: u32, inner: u32, count: u32, zero: u32 }

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let e = position(g, gs, l);
  if (e >= args.n) { return; }
  let i = e % args.inner;
  let s = (e / args.inner) % args.size;
  let o = e / args.inner / args.size;
  var sum = Sum();
  for (var c = 0u; c < args.count; c++) {
    if (arena[args.indices + c] == s) { add(&sum, load(args.dy + (o * args.count + c) * args.inner + i)); }
  }
  store(args.dx + e, total(sum));
}
