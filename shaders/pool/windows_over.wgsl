// The windows whose taps may reach a pixel.
struct Over { image: u32, first_row: u32, end_row: u32, first_column: u32, end_column: u32 }

// The first window whose taps reach `at`, a place behind the padding.
fn first_window(at: u32, taps: u32, dilation: u32, stride: u32) -> u32 {
  let reach = (taps - 1u) * dilation;
  return select(0u, (at - reach + stride - 1u) / stride, at > reach);
}

fn windows_over(pixel: u32) -> Over {
  let s = args.windows;
  let i = pixel / s.width % s.height + s.padding_down;
  let j = pixel % s.width + s.padding_across;
  return Over(
    pixel / s.width / s.height,
    first_window(i, s.kernel_height, s.dilation_down, s.stride_down), min(s.rows, i / s.stride_down + 1u),
    first_window(j, s.kernel_width, s.dilation_across, s.stride_across), min(s.columns, j / s.stride_across + 1u),
  );
}
