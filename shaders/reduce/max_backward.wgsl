// dy shared evenly among the elements that equal the largest, NaN for all where that is NaN; one invocation for each output.
struct Args { dy: u32, x: u32, y: u32, dx: u32, outputs: u32, count: u32, inner: u32, zero: u32 }

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let o = position(g, gs, l);
  if (o >= args.outputs) { return; }
  let first = (o / args.inner) * args.count * args.inner + o % args.inner;
  let most = arena[args.y + o];
  var ties = 0.0;
  for (var c = 0u; c < args.count; c++) { if (load(args.x + first + c * args.inner) == bitcast<f32>(most)) { ties += 1.0; } }
  let share = load(args.dy + o) / ties;
  let rest = select(0.0, nan(), is_nan(bitcast<f32>(most)));
  for (var c = 0u; c < args.count; c++) {
    let at = first + c * args.inner;
    store(args.dx + at, select(rest, share, load(args.x + at) == bitcast<f32>(most)));
  }
}
