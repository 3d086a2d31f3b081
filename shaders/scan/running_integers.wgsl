// What cumsum.wgsl adds up: words that are i32.
struct Running { sum: u32 }

fn take(s: ptr<function, Running>, word: u32) { (*s).sum += word; }

fn so_far(s: Running) -> u32 { return s.sum; }

fn both(a: u32, b: u32) -> u32 { return a + b; }
