// A product by blocks in workgroup memory: WX x WY invocations load DEPTH terms of 4 QM WY rows of A and of 4 QN WX
// columns of B once, four by four, and each makes 4 QM x 4 QN results of them in registers.
//     tile_a  [k][group of four rows]       tile_b  [k][group of four columns]
// An invocation's second group lies WY (WX) groups behind its first, so that neighbours read neighbouring words.
override WX: u32;
override WY: u32;
override QM: u32; // 1 or 2
override QN: u32;
override DEPTH: u32; // a multiple of 4
override SIZE_A: u32; // DEPTH * WY * QM
override SIZE_B: u32; // DEPTH * WX * QN
var<workgroup> tile_a: array<Quad, SIZE_A>;
var<workgroup> tile_b: array<Quad, SIZE_B>;

@compute @workgroup_size(WX, WY)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_id) l: vec3<u32>) {
  let tile = g.y * gs.x + g.x;
  if (tile >= args.tiles) { return; }
  let at = place_of(tile);
  let groups_a = WY * QM;
  let groups_b = WX * QN;
  let first_i = at.tile_m * groups_a * 4u;
  let first_j = at.tile_n * groups_b * 4u;
  let patches_a = groups_a * (DEPTH / 4u);
  let patches = (groups_a + groups_b) * (DEPTH / 4u);
  var s00: Sums;
  var s01: Sums;
  var s10: Sums;
  var s11: Sums;
  // Rows are summed in the first column of tiles, by the first of the invocations that share them.
  let tallies = SUMS == 1u && at.tile_n == 0u && l.x == 0u;
  var t0: Sum;
  var t1: Sum;
  for (var k = at.from_k; k < at.end_k; k += DEPTH) {
    for (var q = l.y * WX + l.x; q < patches; q += WX * WY) {
      if (q < patches_a) {
        let v = patch_a(at.batch, first_i + (q % groups_a) * 4u, k + (q / groups_a) * 4u);
        let to = (q / groups_a) * 4u * groups_a + q % groups_a;
        tile_a[to] = v[0];
        tile_a[to + groups_a] = v[1];
        tile_a[to + 2u * groups_a] = v[2];
        tile_a[to + 3u * groups_a] = v[3];
      } else {
        let r = q - patches_a;
        let v = patch_b(at.batch, first_j + (r % groups_b) * 4u, k + (r / groups_b) * 4u);
        let to = (r / groups_b) * 4u * groups_b + r % groups_b;
        tile_b[to] = v[0];
        tile_b[to + groups_b] = v[1];
        tile_b[to + 2u * groups_b] = v[2];
        tile_b[to + 3u * groups_b] = v[3];
      }
    }
    workgroupBarrier();
    for (var d = 0u; d < DEPTH; d++) {
      let a0 = tile_a[d * groups_a + l.y];
      let b0 = tile_b[d * groups_b + l.x];
      outer(&s00, a0, b0);
      if (QN > 1u) { outer(&s01, a0, tile_b[d * groups_b + WX + l.x]); }
      if (QM > 1u) {
        let a1 = tile_a[d * groups_a + WY + l.y];
        outer(&s10, a1, b0);
        if (QN > 1u) { outer(&s11, a1, tile_b[d * groups_b + WX + l.x]); }
      }
    }
    if (tallies) {
      for (var d = 0u; d < DEPTH; d += 4u) {
        let a = d * groups_a + l.y;
        t0 = tally(t0, tile_a[a], tile_a[a + groups_a], tile_a[a + 2u * groups_a], tile_a[a + 3u * groups_a]);
        if (QM > 1u) {
          let b = a + WY;
          t1 = tally(t1, tile_a[b], tile_a[b + groups_a], tile_a[b + 2u * groups_a], tile_a[b + 3u * groups_a]);
        }
      }
    }
    workgroupBarrier();
  }
  let i = first_i + l.y * 4u;
  let j = first_j + l.x * 4u;
  finish_four(at.result, i, j, s00);
  if (QN > 1u) { finish_four(at.result, i, j + WX * 4u, s01); }
  if (QM > 1u) { finish_four(at.result, i + WY * 4u, j, s10); }
  if (QM > 1u && QN > 1u) { finish_four(at.result, i + WY * 4u, j + WX * 4u, s11); }
  if (tallies) {
    finish_tally(at.result, i, t0);
    if (QM > 1u) { finish_tally(at.result, i + WY * 4u, t1); }
  }
}
