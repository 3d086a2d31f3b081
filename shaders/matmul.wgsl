// C = forward(A B + bias): 16 x 16 outputs for each workgroup, K in steps of 16 through workgroup memory. Operands are
// read through two strides each, which is all that transposing is. The activation's file is joined behind this one.
struct Args {
  a: u32, b: u32, bias: u32, c: u32, m: u32, n: u32, k: u32, batch_a: u32, batch_b: u32,
  row_a: u32, step_a: u32, step_b: u32, column_b: u32, tiles_m: u32, tiles_n: u32, tiles: u32, p: f32, zero: u32,
}
override BIAS: u32;
var<workgroup> tile_a: array<f32, 256>;
var<workgroup> tile_b: array<f32, 256>;

@compute @workgroup_size(16, 16)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_id) l: vec3<u32>) {
  let tile = g.y * gs.x + g.x;
  if (tile >= args.tiles) { return; }
  let batch = tile / (args.tiles_m * args.tiles_n);
  let i = ((tile / args.tiles_n) % args.tiles_m) * 16u + l.y;
  let j = (tile % args.tiles_n) * 16u + l.x;
  let a = args.a + batch * args.batch_a;
  let b = args.b + batch * args.batch_b;
  var sum = 0.0;
  if (BIAS == 1u && j < args.n) { sum = load(args.bias + j); }
  for (var k0 = 0u; k0 < args.k; k0 += 16u) {
    let ka = k0 + l.x;
    let kb = k0 + l.y;
    var va = 0.0;
    var vb = 0.0;
    if (i < args.m && ka < args.k) { va = load(a + i * args.row_a + ka * args.step_a); }
    if (j < args.n && kb < args.k) { vb = load(b + kb * args.step_b + j * args.column_b); }
    tile_a[l.y * 16u + l.x] = va;
    tile_b[l.y * 16u + l.x] = vb;
    workgroupBarrier();
    for (var k = 0u; k < 16u; k++) { sum += tile_a[l.y * 16u + k] * tile_b[k * 16u + l.x]; }
    workgroupBarrier();
  }
  if (i < args.m && j < args.n) { store(args.c + (batch * args.m + i) * args.n + j, forward(sum, args.p)); }
}
