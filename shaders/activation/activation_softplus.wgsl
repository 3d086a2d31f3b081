fn forward(x: f32, p: f32) -> f32 { return max_nan(x, 0.0) + log1p_safe(exp_safe(-abs(x))); }
fn backward(dy: f32, x: f32, p: f32) -> f32 { return dy * sigmoid_safe(x); }
