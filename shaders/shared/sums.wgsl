// A sum in blocks of blocks: however many its terms, each passes through few roundings. (Compensated sums would need a
// compiler that does not reorder, and WGSL's may.)
struct Sum { terms: u32, block: f32, blocks: f32, all: f32 }

fn add(s: ptr<function, Sum>, v: f32) {
  (*s).block += v;
  (*s).terms += 1u;
  if (((*s).terms & 31u) == 0u) {
    (*s).blocks += (*s).block;
    (*s).block = 0.0;
    if (((*s).terms & 1023u) == 0u) {
      (*s).all += (*s).blocks;
      (*s).blocks = 0.0;
    }
  }
}

fn total(s: Sum) -> f32 { return s.all + (s.blocks + s.block); }
