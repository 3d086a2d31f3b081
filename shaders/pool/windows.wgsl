// Windows over images, channels last: sizes down, then across. The first of the arguments: a struct within them must start at 16 bytes.
struct Windows {
  height: u32, width: u32, rows: u32, columns: u32, kernel_height: u32, kernel_width: u32,
  stride_down: u32, stride_across: u32, padding_down: u32, padding_across: u32, dilation_down: u32, dilation_across: u32,
  channels: u32,
  // Some compilers want what follows a struct at a multiple of 16 bytes.
  rest_0: u32, rest_1: u32, rest_2: u32,
}
