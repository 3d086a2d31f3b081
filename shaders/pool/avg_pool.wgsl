// The sum of each window, divided; one invocation for each channel of each window.
struct Args { windows: Windows, padded: u32, divisor: u32, x: u32, y: u32, n: u32, zero: u32 }

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) g: vec3<u32>, @builtin(num_workgroups) gs: vec3<u32>, @builtin(local_invocation_index) l: u32) {
  let e = position(g, gs, l);
  if (e >= args.n) { return; }
  let s = args.windows;
  let w = e / s.channels;
  let row = (w / s.columns) % s.rows;
  let column = w % s.columns;
  let image = w / s.columns / s.rows;
  var sum = Sum();
  for (var a = 0u; a < s.kernel_height; a++) {
    let i = i32(row * s.stride_down + a) - i32(s.padding_down);
    if (i < 0 || i >= i32(s.height)) { continue; }
    for (var b = 0u; b < s.kernel_width; b++) {
      let j = i32(column * s.stride_across + b) - i32(s.padding_across);
      if (j < 0 || j >= i32(s.width)) { continue; }
      add(&sum, load(args.x + ((image * s.height + u32(i)) * s.width + u32(j)) * s.channels + e % s.channels));
    }
  }
  store(args.y + e, total(sum) / f32(divisor_of(row, column)));
}
