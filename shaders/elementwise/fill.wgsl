// Repeats a 32-bit word; bytes are repeated in all four places of it.
struct Args { y: u32, n: u32, word: u32, zero: u32 }

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let i = position(g, gs, l);
  if (i < args.n) { arena[args.y + i] = args.word; }
}
