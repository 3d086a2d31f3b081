// y[o, s, i] = x[o, s, i] (BASE 0: 0) and the sum of source[o, c, i] over the c whose index is s, in order: one invocation
// for each element, no atomics. EACH 1: an index for each (o, c, i). Nothing is added where s is `skipped`.
struct Args {
  x: u32, source: u32, indices: u32, y: u32, n: u32, size: u32, inner: u32, count: u32, skipped: u32,
  zero: u32,
}
override EACH: u32;
override BASE: u32;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let e = position(g, gs, l);
  if (e >= args.n) { return; }
  let i = e % args.inner;
  let s = (e / args.inner) % args.size;
  let o = e / args.inner / args.size;
  var sum = Sum();
  if (BASE == 1u) { add(&sum, load(args.x + e)); }
  if (s != args.skipped) {
    for (var c = 0u; c < args.count; c++) {
      let picked = (o * args.count + c) * args.inner + i;
      var place = c;
      if (EACH == 1u) { place = picked; }
      if (arena[args.indices + place] == s) { add(&sum, load(args.source + picked)); }
    }
  }
  store(args.y + e, total(sum));
}
