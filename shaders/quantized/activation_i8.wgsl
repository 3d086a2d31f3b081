// y = table[x], four to a word.
struct Args { x: u32, table: u32, y: u32, n: u32, zero: u32 }

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let i = position(g, gs, l);
  if (i * 4u >= args.n) { return; }
  var word = 0u;
  for (var b = 0u; b < 4u; b++) {
    word |= load_byte(args.table, load_byte(args.x, i * 4u + b)) << (b * 8u);
  }
  arena[args.y + i] = word;
}
