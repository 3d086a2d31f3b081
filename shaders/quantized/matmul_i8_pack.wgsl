// Weights (N, K) i8 as words of four k, columns side by side and up to a multiple of 4 of them, zeros beyond; behind them each
// column's bias plus 128 times the sum of its weights, which turns sums over x - 128 into sums over x. So for each product of a batch.
struct Args { weight: u32, bias: u32, packed: u32, n: u32, k: u32, words: u32, padded: u32, batches: u32, zero: u32 }

fn word(column: u32, q: u32) -> u32 {
  var w = 0u;
  for (var b = 0u; b < 4u; b++) {
    let k = q * 4u + b;
    if (k < args.k) { w |= weight_byte(args.weight, column * args.k + k) << (b * 8u); }
  }
  return w;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let i = position(g, gs, l);
  let lines = args.words + 1u;
  if (i >= args.batches * lines * args.padded) { return; }
  let q = i / args.padded % lines;
  let among = i % args.padded;
  var w = 0u;
  if (among < args.n) {
    let column = i / args.padded / lines * args.n + among;
    if (q < args.words) { w = word(column, q); }
    else {
      var sum = 0;
      for (var k = 0u; k < args.k; k++) { sum += sign_extend(weight_byte(args.weight, column * args.k + k)); }
      w = weight_word(args.bias + column) + bitcast<u32>(sum) * 128u;
    }
  }
  arena[args.packed + i] = w;
}
