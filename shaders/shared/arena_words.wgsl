// The arena is one buffer of 32-bit words; tensors are offsets into it, in words. Kernels read and write floats by bits,
// so that no compiler's idea of NaN or denormals touches data that is only moved.
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;

fn load(i: u32) -> f32 { return bitcast<f32>(arena[i]); }
fn store(i: u32, v: f32) { arena[i] = bitcast<u32>(v); }
fn load_byte(base: u32, i: u32) -> u32 { return (arena[base + (i >> 2u)] >> ((i & 3u) * 8u)) & 0xffu; }
fn load_four(i: u32) -> vec4<f32> { return bitcast<vec4<f32>>(vec4<u32>(arena[i], arena[i + 1u], arena[i + 2u], arena[i + 3u])); }
fn store_four(i: u32, v: vec4<f32>) {
  let w = bitcast<vec4<u32>>(v);
  arena[i] = w.x;
  arena[i + 1u] = w.y;
  arena[i + 2u] = w.z;
  arena[i + 3u] = w.w;
}

// Weights: the operand of a kernel that may be a constant in a buffer of its own.
@group(0) @binding(2) var<storage, read> weights: array<u32>;
override APART: u32 = 0u; // 1: it is one; 0: it lies in the arena

fn weight_word(i: u32) -> u32 {
  if (APART == 1u) { return weights[i]; }
  return arena[i];
}
fn weight_byte(base: u32, i: u32) -> u32 { return (weight_word(base + (i >> 2u)) >> ((i & 3u) * 8u)) & 0xffu; }
fn load_weight(i: u32) -> f32 { return bitcast<f32>(weight_word(i)); }
fn load_weight_four(i: u32) -> vec4<f32> {
  return bitcast<vec4<f32>>(vec4<u32>(weight_word(i), weight_word(i + 1u), weight_word(i + 2u), weight_word(i + 3u)));
}
