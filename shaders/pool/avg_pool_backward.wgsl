// dx is what the windows over an element give it, divided: one invocation for each element, no atomics.
struct Args { windows: Windows, padded: u32, divisor: u32, dy: u32, dx: u32, n: u32, zero: u32 }

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let e = position(g, gs, l);
  if (e >= args.n) { return; }
  let s = args.windows;
  let over = windows_over(e / s.channels);
  var sum = Sum();
  for (var row = over.first_row; row < over.end_row; row++) {
    for (var column = over.first_column; column < over.end_column; column++) {
      let w = ((over.image * s.rows + row) * s.columns + column) * s.channels + e % s.channels;
      add(&sum, load(args.dy + w) / f32(divisor_of(row, column)));
    }
  }
  store(args.dx + e, total(sum));
}
