fn forward(x: f32, p: f32) -> f32 { return x; }
fn backward(dy: f32, saved: f32, p: f32) -> f32 { return dy; }
