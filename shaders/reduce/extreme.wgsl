// Largest or smallest of whole numbers, (outer, count, inner) -> (outer, inner): one invocation for each word of the output, which is four
// of u8.
struct Args { x: u32, y: u32, outputs: u32, count: u32, inner: u32, zero: u32 }
override LEAST: u32; // 1: the smallest

fn best_of(o: u32) -> u32 {
  let first = (o / args.inner) * args.count * args.inner + o % args.inner;
  let turned = select(0u, 0xffffffffu, LEAST == 1u);
  var best = 0u;
  for (var c = 0u; c < args.count; c++) {
    best = max(best, ordered(word_of(args.x, first + c * args.inner)) ^ turned);
  }
  return ordered(best ^ turned);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let w = position(g, gs, l);
  let each = select(1u, 4u, TYPE == 2u);
  if (w * each >= args.outputs) { return; }
  var word = 0u;
  for (var b = 0u; b < each && w * each + b < args.outputs; b++) { word |= best_of(w * each + b) << (b * 8u); }
  arena[args.y + w] = word;
}
