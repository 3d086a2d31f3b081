// dx is what the windows over an element give it, in order, if it is their winner: one invocation for each element, no atomics.
struct Args { windows: Windows, dy: u32, x: u32, dx: u32, n: u32, zero: u32 }

fn value_of(at: u32) -> f32 { return load(args.x + at); }

// The first window whose taps reach `at`, a place behind the padding.
fn first_window(at: u32, taps: u32, dilation: u32, stride: u32) -> u32 {
  let reach = (taps - 1u) * dilation;
  return select(0u, (at - reach + stride - 1u) / stride, at > reach);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let e = position(g, gs, l);
  if (e >= args.n) { return; }
  let s = args.windows;
  let plane = e / s.width / s.height;
  let i = e / s.width % s.height + s.padding_down;
  let j = e % s.width + s.padding_across;
  let end_row = min(s.rows, i / s.stride_down + 1u);
  let end_column = min(s.columns, j / s.stride_across + 1u);
  var sum = Sum();
  for (var row = first_window(i, s.kernel_height, s.dilation_down, s.stride_down); row < end_row; row++) {
    for (var column = first_window(j, s.kernel_width, s.dilation_across, s.stride_across); column < end_column; column++) {
      let w = (plane * s.rows + row) * s.columns + column;
      let best = winner(w);
      if (best.found && best.at == e) { add(&sum, load(args.dy + w)); }
    }
  }
  store(args.dx + e, total(sum));
}
