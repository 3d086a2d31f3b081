// A product without workgroup memory: an invocation makes 4 QM x 4 QN results in registers, and caches serve the loads
// that neighbours share. Best where a barrier is dear, as on simulated GPUs, and for few terms.
override WX: u32;
override WY: u32;
override QM: u32; // 1 or 2
override QN: u32;

@compute @workgroup_size(WX, WY)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_id) l: vec3<u32>) {
  let tile = g.y * gs.x + g.x;
  if (tile >= args.tiles) { return; }
  let at = place_of(tile);
  let i = (at.tile_m * WY + l.y) * 4u * QM;
  let j = (at.tile_n * WX + l.x) * 4u * QN;
  if (i >= args.m || j >= args.n) { return; }
  var s00: Sums;
  var s01: Sums;
  var s10: Sums;
  var s11: Sums;
  // The first column of invocations sums the rows it loads.
  let tallies = SUMS == 1u && j == 0u;
  var t0: Sum;
  var t1: Sum;
  for (var k = at.from_k; k < at.end_k; k += 4u) {
    let a0 = patch_a(at.batch, i, k);
    let b0 = patch_b(at.batch, j, k);
    outer(&s00, a0[0], b0[0]);
    outer(&s00, a0[1], b0[1]);
    outer(&s00, a0[2], b0[2]);
    outer(&s00, a0[3], b0[3]);
    if (tallies) { t0 = tally(t0, a0[0], a0[1], a0[2], a0[3]); }
    if (QM > 1u) {
      let a1 = patch_a(at.batch, i + 4u, k);
      outer(&s10, a1[0], b0[0]);
      outer(&s10, a1[1], b0[1]);
      outer(&s10, a1[2], b0[2]);
      outer(&s10, a1[3], b0[3]);
      if (tallies) { t1 = tally(t1, a1[0], a1[1], a1[2], a1[3]); }
      if (QN > 1u) {
        let b1 = patch_b(at.batch, j + 4u, k);
        outer(&s11, a1[0], b1[0]);
        outer(&s11, a1[1], b1[1]);
        outer(&s11, a1[2], b1[2]);
        outer(&s11, a1[3], b1[3]);
      }
    }
    if (QN > 1u) {
      let b1 = patch_b(at.batch, j + 4u, k);
      outer(&s01, a0[0], b1[0]);
      outer(&s01, a0[1], b1[1]);
      outer(&s01, a0[2], b1[2]);
      outer(&s01, a0[3], b1[3]);
    }
  }
  finish_four(at.result, i, j, s00);
  if (QN > 1u) { finish_four(at.result, i, j + 4u, s01); }
  if (QM > 1u) { finish_four(at.result, i + 4u, j, s10); }
  if (QM > 1u && QN > 1u) { finish_four(at.result, i + 4u, j + 4u, s11); }
  if (tallies) {
    finish_tally(at.result, i, t0);
    if (QM > 1u) { finish_tally(at.result, i + 4u, t1); }
  }
}
