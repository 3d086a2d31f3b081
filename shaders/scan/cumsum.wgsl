// Sums along the middle of (outer, count, inner): a workgroup for each run, whose invocations take neighbouring parts of it. Each
// sums its own part, then goes through it again from what stands before it.
struct Args { x: u32, y: u32, runs: u32, count: u32, inner: u32, chunk: u32, exclusive: u32, reverse: u32, zero: u32 }
override LANES: u32;
var<workgroup> sums: array<f32, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let run = g.y * gs.x + g.x;
  if (run >= args.runs) { return; }
  let first = (run / args.inner) * args.count * args.inner + run % args.inner;
  let start = l * args.chunk;
  let end = min(args.count, start + args.chunk);
  var own = Sum();
  for (var c = start; c < end; c++) {
    let at = first + select(c, args.count - 1u - c, args.reverse == 1u) * args.inner;
    add(&own, load(args.x + at));
  }
  sums[l] = total(own);
  workgroupBarrier();
  var before = Sum();
  for (var i = 0u; i < l; i++) { add(&before, sums[i]); }
  let base = total(before);
  var sum = Sum();
  for (var c = start; c < end; c++) {
    let at = first + select(c, args.count - 1u - c, args.reverse == 1u) * args.inner;
    let v = load(args.x + at);
    let without = base + total(sum);
    add(&sum, v);
    store(args.y + at, select(base + total(sum), without, args.exclusive == 1u));
  }
}
