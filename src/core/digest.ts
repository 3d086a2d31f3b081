/** 64 bits that say which bytes these are: two lanes of MurmurHash3's mixing (public domain, Austin Appleby) and the length. */
export function digestOf(given: ArrayBufferView): string {
  const view = new Uint8Array(given.buffer, given.byteOffset, given.byteLength);
  const bytes = view.byteOffset % 4 === 0 ? view : view.slice();
  let [a, b] = [0x9747b28c, 0x3c6ef372];
  const mix = (word: number) => {
    let w = Math.imul(word, 0xcc9e2d51);
    w = Math.imul((w << 15) | (w >>> 17), 0x1b873593);
    a ^= w;
    a = (Math.imul((a << 13) | (a >>> 19), 5) + 0xe6546b64) | 0;
    let v = Math.imul(word, 0x239b961b);
    v = Math.imul((v << 17) | (v >>> 15), 0x38b34ae5);
    b ^= v;
    b = (Math.imul((b << 11) | (b >>> 21), 5) + 0x561ccd1b) | 0;
  };
  const words = bytes.length >> 2;
  for (const word of new Uint32Array(bytes.buffer, bytes.byteOffset, words)) mix(word);
  for (let i = 4 * words; i < bytes.length; i++) mix(bytes[i]);
  return `${a >>> 0} ${b >>> 0} ${bytes.length}`;
}
