// Rows in order: first blocks of 64, in which each element counts those that stand before it; then neighbouring runs are merged, twice
// as long at every pass: an element's place is its place in its own run and, by bisection, that in the other one. What moves are
// places in the row. Equals keep their order.
struct Args { x: u32, source: u32, to: u32, values: u32, n: u32, all: u32, width: u32, k: u32, zero: u32 }
override FIRST: u32; // 1: the pass of blocks
override LAST: u32; // 1: writes values and places, of the first k
override DESCENDING: u32;

// Turned over for a descending order.
fn key_of(row: u32, i: u32) -> u32 {
  let key = ordered(word_of(args.x, row * args.n + i));
  return select(key, ~key, DESCENDING == 1u);
}

fn place_at(row: u32, i: u32) -> u32 {
  if (FIRST == 1u) { return i; }
  return arena[args.source + row * args.n + i];
}

// How many of the run from `low` up to `high` stand before a key, or beside it as well.
fn before(row: u32, low: u32, high: u32, key: u32, beside: bool) -> u32 {
  var least = low;
  var most = high;
  while (least < most) {
    let middle = (least + most) / 2u;
    let other = key_of(row, place_at(row, middle));
    if (other < key || (beside && other == key)) { least = middle + 1u; } else { most = middle; }
  }
  return least - low;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let e = position(g, gs, l);
  if (e >= args.all) { return; }
  let row = e / args.n;
  let i = e % args.n;
  let place = place_at(row, i);
  let key = key_of(row, place);
  var at = 0u;
  if (FIRST == 1u) {
    let start = i & ~63u;
    let end = min(args.n, start + 64u);
    at = start;
    for (var j = start; j < end; j++) {
      let other = key_of(row, j);
      if (other < key || (other == key && j < i)) { at += 1u; }
    }
  } else {
    let start = i / (2u * args.width) * (2u * args.width);
    let middle = min(args.n, start + args.width);
    let end = min(args.n, middle + args.width);
    if (i < middle) { at = i + before(row, middle, end, key, false); }
    else { at = start + (i - middle) + before(row, start, middle, key, true); }
  }
  if (LAST == 0u) {
    arena[args.to + row * args.n + at] = place;
  } else if (at < args.k) {
    arena[args.to + row * args.k + at] = place;
    arena[args.values + row * args.k + at] = arena[args.x + row * args.n + place];
  }
}
