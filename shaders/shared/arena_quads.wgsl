// The arena as groups of four words, for kernels whose tensors all begin and continue at multiples of four: one load or
// store moves four. There is no store of one word: WGSL lets it write the neighbours too, which are another invocation's.
@group(0) @binding(0) var<storage, read_write> arena: array<vec4<u32>>;

fn load(i: u32) -> f32 { return bitcast<f32>(arena[i >> 2u][i & 3u]); }
fn load_four(i: u32) -> vec4<f32> { return bitcast<vec4<f32>>(arena[i >> 2u]); }
fn store_four(i: u32, v: vec4<f32>) { arena[i >> 2u] = bitcast<vec4<u32>>(v); }
fn store(i: u32, v: f32) {}
