// Joined to every kernel, behind the file that says how it sees the arena.
@group(0) @binding(1) var<uniform> args: Args;

fn sign_extend(b: u32) -> i32 { return bitcast<i32>(b << 24u) >> 24u; }
// WGSL lets compilers assume that NaN and infinity don't occur, and they do: v != v becomes false. Bits don't lie.
fn is_nan(v: f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u; }
// Constants must not be NaN or infinite either, so these are made from a number that no compiler knows.
fn infinity() -> f32 { return bitcast<f32>(0x7f800000u | (args.zero & 1u)); }
fn nan() -> f32 { return bitcast<f32>(0x7fc00000u | (args.zero & 1u)); }
// NaN if either is: max() may drop it.
fn max_nan(a: f32, b: f32) -> f32 {
  if (is_nan(a)) { return a; }
  if (is_nan(b)) { return b; }
  return max(a, b);
}

fn clamp_nan(v: f32, low: f32, high: f32) -> f32 {
  if (is_nan(v)) { return v; }
  return clamp(v, low, high);
}

// Position of this invocation where workgroups of 64 are laid out in two dimensions, as large grids must be.
fn position(group: vec3<u32>, groups: vec3<u32>, local: u32) -> u32 {
  return (group.y * groups.x + group.x) * 64u + local;
}
