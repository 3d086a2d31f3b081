/** XXH32 (Y. Collet, xxHash specification 0.1.1), seed 0; a frozen module has its own, assembly/frozen/checksum.ts. */
const P1 = 0x9e3779b1;
const P2 = 0x85ebca77;
const P3 = 0xc2b2ae3d;
const P4 = 0x27d4eb2f;
const P5 = 0x165667b1;

const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by));
const turn = (sum: number, word: number): number => Math.imul(rotate(sum + Math.imul(word, P2), 13), P1);

/** 32 bits that tell whether bytes changed by accident. It is no signature: who changes them on purpose can fit it. */
export function checksum(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { length } = bytes;
  let at = 0;
  let h = P5;
  if (length >= 16) {
    let [a, b, c, d] = [P1 + P2, P2, 0, -P1];
    for (; at + 16 <= length; at += 16) {
      a = turn(a, view.getInt32(at, true));
      b = turn(b, view.getInt32(at + 4, true));
      c = turn(c, view.getInt32(at + 8, true));
      d = turn(d, view.getInt32(at + 12, true));
    }
    h = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18);
  }
  h += length;
  for (; at + 4 <= length; at += 4) h = Math.imul(rotate(h + Math.imul(view.getInt32(at, true), P3), 17), P4);
  for (; at < length; at++) h = Math.imul(rotate(h + Math.imul(bytes[at], P5), 11), P1);
  h = Math.imul(h ^ (h >>> 15), P2);
  h = Math.imul(h ^ (h >>> 13), P3);
  return (h ^ (h >>> 16)) >>> 0;
}
