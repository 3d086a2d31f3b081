// C = forward(A B + bias): an invocation makes 4 x 4 outputs in registers, a workgroup 32 x 32. Operands are read through
// two strides each, which is all that transposing is. The activation's file is joined behind this one.
// No workgroup memory: barriers cost more than they save where a GPU is simulated, and caches serve the shared loads.
struct Args {
  a: u32, b: u32, bias: u32, c: u32, m: u32, n: u32, k: u32, batch_a: u32, batch_b: u32,
  row_a: u32, step_a: u32, step_b: u32, column_b: u32, tiles_m: u32, tiles_n: u32, tiles: u32, p: f32, zero: u32,
}
override BIAS: u32;

@compute @workgroup_size(8, 8)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_id) l: vec3<u32>) {
  let tile = g.y * gs.x + g.x;
  if (tile >= args.tiles) { return; }
  let batch = tile / (args.tiles_m * args.tiles_n);
  let i = vec4<u32>(((tile / args.tiles_n) % args.tiles_m) * 32u + l.y * 4u) + vec4<u32>(0u, 1u, 2u, 3u);
  let j = vec4<u32>((tile % args.tiles_n) * 32u + l.x * 4u) + vec4<u32>(0u, 1u, 2u, 3u);
  if (i.x >= args.m || j.x >= args.n) { return; }
  // Rows and columns beyond the edge read the last one again; only real ones are stored.
  var a = vec4<u32>(args.a + batch * args.batch_a) + min(i, vec4<u32>(args.m - 1u)) * args.row_a;
  let last = min(j, vec4<u32>(args.n - 1u));
  var b = vec4<u32>(args.b + batch * args.batch_b) + last * args.column_b;
  var start = vec4<f32>();
  if (BIAS == 1u) {
    start = vec4<f32>(load(args.bias + last.x), load(args.bias + last.y), load(args.bias + last.z), load(args.bias + last.w));
  }
  var rows = array<vec4<f32>, 4>(start, start, start, start);
  for (var k = 0u; k < args.k; k++) {
    let vb = vec4<f32>(load(b.x), load(b.y), load(b.z), load(b.w));
    rows[0] += load(a.x) * vb;
    rows[1] += load(a.y) * vb;
    rows[2] += load(a.z) * vb;
    rows[3] += load(a.w) * vb;
    a += vec4<u32>(args.step_a);
    b += vec4<u32>(args.step_b);
  }
  for (var r = 0u; r < 4u; r++) {
    if (i[r] >= args.m) { break; }
    let row = args.c + (batch * args.m + i[r]) * args.n;
    for (var c = 0u; c < 4u; c++) {
      if (j[c] < args.n) { store(row + j[c], forward(rows[r][c], args.p)); }
    }
  }
}
