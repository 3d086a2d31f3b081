fn forward(x: f32, p: f32, q: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) & 0x7fffffffu); }
