fn forward(x: f32, p: f32) -> f32 { return sigmoid_safe(x); }
fn backward(dy: f32, y: f32, p: f32) -> f32 { return dy * (y * (1.0 - y)); }
