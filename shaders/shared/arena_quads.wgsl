// The arena as groups of four words, for kernels whose tensors all begin and continue at multiples of four: one load or
// store moves four. There is no store of one word: WGSL lets it write the neighbours too, which are another invocation's.
@group(0) @binding(0) var<storage, read_write> arena: array<vec4<u32>>;

fn load(i: u32) -> f32 { return bitcast<f32>(arena[i >> 2u][i & 3u]); }
fn load_four(i: u32) -> vec4<f32> { return bitcast<vec4<f32>>(arena[i >> 2u]); }
fn store_four(i: u32, v: vec4<f32>) { arena[i >> 2u] = bitcast<vec4<u32>>(v); }
fn store(i: u32, v: f32) {}

// Weights: the operand of a kernel that may be a constant in a buffer of its own.
@group(0) @binding(2) var<storage, read> weights: array<vec4<u32>>;
override APART: u32 = 0u; // 1: it is one; 0: it lies in the arena

fn load_weight_four(i: u32) -> vec4<f32> {
  if (APART == 1u) { return bitcast<vec4<f32>>(weights[i >> 2u]); }
  return load_four(i);
}
fn load_weight(i: u32) -> f32 { return load_weight_four(i)[i & 3u]; }
