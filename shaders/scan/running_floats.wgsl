// What cumsum.wgsl adds up: words that are f32.
alias Running = Sum;

fn take(s: ptr<function, Running>, word: u32) { add(s, bitcast<f32>(word)); }

fn so_far(s: Running) -> u32 { return bitcast<u32>(total(s)); }

fn both(a: u32, b: u32) -> u32 { return bitcast<u32>(bitcast<f32>(a) + bitcast<f32>(b)); }
