/** XXH32 (Y. Collet, xxHash specification 0.1.1), seed 0; the host side is src/backend/wasm/frozen/checksum.ts. */
const P1: u32 = 0x9e3779b1;
const P2: u32 = 0x85ebca77;
const P3: u32 = 0xc2b2ae3d;
const P4: u32 = 0x27d4eb2f;
const P5: u32 = 0x165667b1;

@inline
function turn(sum: u32, word: u32): u32 {
  return rotl<u32>(sum + word * P2, 13) * P1;
}

/** Of the bytes [at, end), taken as whole words: up to three at the end are left out. */
export function checksum(at: usize, end: usize): u32 {
  const length = <u32>(end - at);
  let h: u32 = P5;
  if (length >= 16) {
    let a: u32 = P1 + P2;
    let b: u32 = P2;
    let c: u32 = 0;
    let d: u32 = 0 - P1;
    for (; at + 16 <= end; at += 16) {
      a = turn(a, load<u32>(at));
      b = turn(b, load<u32>(at, 4));
      c = turn(c, load<u32>(at, 8));
      d = turn(d, load<u32>(at, 12));
    }
    h = rotl<u32>(a, 1) + rotl<u32>(b, 7) + rotl<u32>(c, 12) + rotl<u32>(d, 18);
  }
  h += length;
  for (; at + 4 <= end; at += 4) h = rotl<u32>(h + load<u32>(at) * P3, 17) * P4;
  h = (h ^ (h >> 15)) * P2;
  h = (h ^ (h >> 13)) * P3;
  return h ^ (h >> 16);
}
