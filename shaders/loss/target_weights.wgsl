// How much each target counts: 0 for the ignored one, else the weight of its class, or 1.
struct Args { targets: u32, weights: u32, y: u32, n: u32, classes: u32, ignores: u32, ignored: u32, zero: u32 }
override WEIGHTS: u32; // 1: there are some

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let i = position(g, gs, l);
  if (i >= args.n) { return; }
  let t = arena[args.targets + i];
  var weight = 1.0;
  if (WEIGHTS == 1u) {
    weight = nan();
    if (t < args.classes) { weight = load(args.weights + t); }
  }
  if (args.ignores == 1u && t == args.ignored) { weight = 0.0; }
  store(args.y + i, weight);
}
