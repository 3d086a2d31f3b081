// Sums along the middle of (outer, count, inner): a workgroup for each run, whose invocations take neighbouring parts of it. Each
// sums its own part, then goes through it again from what stands before it.
struct Args { x: u32, y: u32, runs: u32, count: u32, inner: u32, chunk: u32, exclusive: u32, reverse: u32, zero: u32 }
override LANES: u32;
var<workgroup> sums: array<u32, LANES>;

fn place(first: u32, c: u32) -> u32 { return first + select(c, args.count - 1u - c, args.reverse == 1u) * args.inner; }

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let run = g.y * gs.x + g.x;
  if (run >= args.runs) { return; }
  let first = (run / args.inner) * args.count * args.inner + run % args.inner;
  let start = l * args.chunk;
  let end = min(args.count, start + args.chunk);
  var own = Running();
  for (var c = start; c < end; c++) { take(&own, arena[args.x + place(first, c)]); }
  sums[l] = so_far(own);
  workgroupBarrier();
  var before = Running();
  for (var i = 0u; i < l; i++) { take(&before, sums[i]); }
  let base = so_far(before);
  var running = Running();
  for (var c = start; c < end; c++) {
    let at = place(first, c);
    let without = so_far(running);
    take(&running, arena[args.x + at]);
    arena[args.y + at] = both(base, select(so_far(running), without, args.exclusive == 1u));
  }
}
