// A vector times a matrix (m is 1): a workgroup makes 4 WX results, WY invocations sharing the terms of each group of four.
// What they found is added in a fixed order.
override WX: u32;
override WY: u32; // a power of two
override SIZE: u32; // WX * WY
var<workgroup> found: array<Sum, SIZE>;

@compute @workgroup_size(WX, WY)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_id) l: vec3<u32>) {
  let tile = g.y * gs.x + g.x;
  if (tile >= args.tiles) { return; }
  let at = place_of(tile);
  let j = (at.tile_n * WX + l.x) * 4u;
  var sum: Sum;
  if (j < args.n) {
    for (var k = at.from_k + l.y * 4u; k < at.end_k; k += WY * 4u) {
      let a = patch_a(at.batch, at.tile_m, k);
      let b = patch_b(at.batch, j, k);
      sum = madd(madd(madd(madd(sum, a[0].x, b[0]), a[1].x, b[1]), a[2].x, b[2]), a[3].x, b[3]);
    }
  }
  found[l.y * WX + l.x] = sum;
  for (var half = WY / 2u; half > 0u; half >>= 1u) {
    workgroupBarrier();
    if (l.y < half) { found[l.y * WX + l.x] = found[l.y * WX + l.x] + found[(l.y + half) * WX + l.x]; }
  }
  if (l.y == 0u) { finish(at.result, at.tile_m, j, found[l.x]); }
}
