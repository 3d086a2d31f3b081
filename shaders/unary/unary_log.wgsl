fn forward(x: f32, p: f32, q: f32) -> f32 { return log_safe(x); }
