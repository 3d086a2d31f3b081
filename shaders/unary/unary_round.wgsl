// Half to even, as WGSL defines round().
fn forward(x: f32, p: f32, q: f32) -> f32 { if (is_whole(x)) { return x; } return round(x); }
