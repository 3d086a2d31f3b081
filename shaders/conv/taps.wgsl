// Windows over an image, channels last. Tap (i, j) of window (row, column) is pixel (row * stride_down + origin_down +
// i * step_down, likewise across); what lies outside is 0. The first of the arguments: a struct within them starts at 16 bytes.
struct Taps {
  height: i32, width: i32, channels: u32, rows: u32, columns: u32, taps_down: u32, taps_across: u32,
  stride_down: i32, stride_across: i32, origin_down: i32, origin_across: i32, step_down: i32, step_across: i32,
  // Where the windows' results lie: pixel (row * every_down + first_down, likewise across) of an image of this size.
  out_height: u32, out_width: u32, every_down: u32, every_across: u32, first_down: u32, first_across: u32, images: u32,
}

struct Window { image: u32, row: u32, column: u32 }

fn window_of(w: u32) -> Window {
  let t = args.taps;
  return Window(w / t.columns / t.rows, (w / t.columns) % t.rows, w % t.columns);
}

// The pixel of the tap (i, j) of a window, counted through all images; -1 outside.
fn pixel_of(w: Window, i: u32, j: u32) -> i32 {
  let t = args.taps;
  let y = i32(w.row) * t.stride_down + t.origin_down + i32(i) * t.step_down;
  let x = i32(w.column) * t.stride_across + t.origin_across + i32(j) * t.step_across;
  if (y < 0 || y >= t.height || x < 0 || x >= t.width) { return -1; }
  return (i32(w.image) * t.height + y) * t.width + x;
}

// The pixel where a window's result goes.
fn place_out(w: Window) -> u32 {
  let t = args.taps;
  return (w.image * t.out_height + w.row * t.every_down + t.first_down) * t.out_width + w.column * t.every_across + t.first_across;
}
