import { dotBytes, HAS_RELAXED_DOT } from '../isa';

/**
 * Whether this host's relaxed dot is exact for unsigned x up to 255: known vectors, each in every lane, with any sum to
 * add to, as src/backend/wasm/probe.ts does for the engine. `at` has room for 48 bytes.
 */
export function isExact(at: usize): bool {
  if (!HAS_RELAXED_DOT) return false;
  for (let first = 0; first < 7; first++) {
    for (let i = 0; i < 4; i++) {
      const lane = at + (<usize>i << 2);
      store<u32>(lane, weights((first + i) % 7));
      store<u32>(lane, inputs((first + i) % 7), 16);
      store<i32>(lane, start(i), 32);
    }
    const sum = dotBytes(v128.load(at), v128.load(at, 16), v128.load(at, 32));
    v128.store(at, sum, 32);
    for (let i = 0; i < 4; i++) {
      let want = start(i);
      for (let b = i * 4; b < i * 4 + 4; b++) want += <i32>load<i8>(at + b) * <i32>load<u8>(at + b, 16);
      if (load<i32>(at + (<usize>i << 2), 32) != want) return false;
    }
  }
  return true;
}

/** What the lanes add to. */
function start(lane: i32): i32 {
  return lane == 0 ? 0 : lane == 1 ? -5 : lane == 2 ? 1000000007 : -2000000000;
}

/** Four signed bytes, the first one lowest. */
function weights(vector: i32): u32 {
  switch (vector) {
    case 0: return 0x04030201;
    case 1: return 0xfcfdfeff;
    case 2: return 0x01010101;
    case 3: return 0x7f7f7f7f;
    case 4: return 0x81818181;
    case 5: return 0x817f817f;
    default: return 0x80808080;
  }
}

/** Four unsigned bytes: values above 127, and pairs whose sums don't fit 16 bits. */
function inputs(vector: i32): u32 {
  switch (vector) {
    case 0: return 0x08070605;
    case 1: return 0x7f7f7f7f;
    case 2: return 0x81ffc880;
    case 5: return 0x03ff01ff;
    default: return 0xffffffff;
  }
}
