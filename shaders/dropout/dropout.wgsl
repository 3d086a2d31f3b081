// Threefry-2x32-20, one counter and two elements for each invocation; see src/core/random.ts.
struct Args { x: u32, seed: u32, y: u32, n: u32, salt: u32, threshold: u32, scale: f32, zero: u32 }

fn rotate(v: u32, by: u32) -> u32 { return (v << by) | (v >> (32u - by)); }
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let c = position(g, gs, l);
  if (c * 2u >= args.n) { return; }
  let key = vec3<u32>(arena[args.seed], args.salt, 0x1bd11bdau ^ arena[args.seed] ^ args.salt);
  let turns = array<vec4<u32>, 2>(vec4<u32>(13u, 15u, 26u, 6u), vec4<u32>(17u, 29u, 16u, 24u));
  var x = c + key.x;
  var y = arena[args.seed + 1u] + key.y;
  for (var group = 0u; group < 5u; group++) {
    for (var round = 0u; round < 4u; round++) {
      x = x + y;
      y = rotate(y, turns[group & 1u][round]) ^ x;
    }
    x = x + key[(group + 1u) % 3u];
    y = y + key[(group + 2u) % 3u] + group + 1u;
  }
  let e = c * 2u;
  store(args.y + e, select(0.0, load(args.x + e) * args.scale, x >= args.threshold));
  if (e + 1u < args.n) { store(args.y + e + 1u, select(0.0, load(args.x + e + 1u) * args.scale, y >= args.threshold)); }
}
