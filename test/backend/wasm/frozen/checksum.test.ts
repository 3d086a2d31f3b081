import { describe, expect, it } from 'vitest';
import { checksum } from '../../../../src/backend/wasm/frozen/checksum.ts';

const hex = (text: string) => checksum(new TextEncoder().encode(text)).toString(16).padStart(8, '0');

describe('checksum', () => {
  // Printed by the xxhsum program.
  it.each([
    ['', '02cc5d05'],
    ['a', '550d7456'],
    ['abc', '32d153ff'],
    ['Nobody inspects the spammish repetition', 'e2293b2f'],
  ])('is XXH32: %j', (text, want) => expect(hex(text)).toBe(want));

  it('does not depend on where the bytes lie', () => {
    const bytes = Uint8Array.from({ length: 64 }, (_, i) => i * 37);
    expect(checksum(bytes.subarray(3, 50))).toBe(checksum(bytes.slice(3, 50)));
  });
});
