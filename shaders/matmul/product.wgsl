// Which product, and where in it, a workgroup is: tiles run along n, then m, then the products, then the parts of K.
struct Place { batch: u32, from_k: u32, end_k: u32, tile_m: u32, tile_n: u32, result: u32 }

fn place_of(tile: u32) -> Place {
  let product = tile / (args.tiles_m * args.tiles_n);
  let part = product / args.batches;
  let rest = tile % (args.tiles_m * args.tiles_n);
  let start = part * args.chunk;
  return Place(product % args.batches, start, min(terms(), start + args.chunk), rest / args.tiles_n, rest % args.tiles_n, product);
}

alias Sums = array<Sum, 4>;

// Four rows and four columns, for one k.
fn outer(s: ptr<function, Sums>, a: Quad, b: Quad) {
  (*s)[0] = madd((*s)[0], a.x, b);
  (*s)[1] = madd((*s)[1], a.y, b);
  (*s)[2] = madd((*s)[2], a.z, b);
  (*s)[3] = madd((*s)[3], a.w, b);
}

fn finish_four(result: u32, i: u32, j: u32, s: Sums) {
  finish(result, i, j, s[0]);
  finish(result, i + 1u, j, s[1]);
  finish(result, i + 2u, j, s[2]);
  finish(result, i + 3u, j, s[3]);
}
