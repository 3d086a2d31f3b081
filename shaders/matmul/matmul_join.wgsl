// The second pass of a product over a long K: C = forward(sum of the parts + bias), or C = backward(sum of the parts,
// saved); parts added in their order.
struct Args { parts: u32, third: u32, c: u32, n: u32, count: u32, size: u32, p: f32, zero: u32 }
override BIAS: u32;
override DERIVATIVE: u32;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let i = position(g, gs, l);
  if (i >= args.size) { return; }
  var sum = 0.0;
  for (var part = 0u; part < args.count; part++) { sum += load(args.parts + part * args.size + i); }
  if (DERIVATIVE == 1u) {
    store(args.c + i, backward(sum, load(args.third + i), args.p));
    return;
  }
  if (BIAS == 1u) { sum += load(args.third + i % args.n); }
  store(args.c + i, forward(sum, args.p));
}
