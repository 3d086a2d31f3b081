import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { BiphaseError } from '../../src/core/errors.ts';
import { sizeOf } from '../../src/core/shape.ts';
import { parseSafetensors, valuesOf, writeSafetensors } from '../../src/io/safetensors.ts';
import { isSealed, seal, UNSEALED } from '../../src/io/seal.ts';

/** A file from a header as text and data, its length as given or right. */
function file(
  header: string,
  data = new Uint8Array(0),
  length = BigInt(new TextEncoder().encode(header).length),
) {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, length, true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}
const entry = (shape: number[], begin: number, end: number, dtype = 'F32') =>
  JSON.stringify({ dtype, shape, data_offsets: [begin, end] });

describe('safetensors', () => {
  it('reads the example of the format, byte for byte', () => {
    // As the Rust library's documentation has it: one F32 scalar-like tensor of shape [1].
    const { tensors, metadata } = parseSafetensors(
      file(`{"a":${entry([1], 0, 4)}}    `, Uint8Array.of(0, 0, 0x80, 0x3f)),
    );
    expect(valuesOf(tensors.get('a')!)).toEqual(Float32Array.of(1));
    expect(metadata).toEqual({});
  });

  it('reads what it writes: any names, shapes and metadata', () => {
    const shape = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 });
    const names = fc.uniqueArray(fc.string({ unit: 'binary' }), { maxLength: 6 });
    const texts = fc.dictionary(fc.string(), fc.string(), { maxKeys: 4 });
    fc.assert(
      fc.property(names, fc.array(shape, { minLength: 6, maxLength: 6 }), texts, (keys, shapes, metadata) => {
        const tensors = keys
          .filter((k) => k !== '__metadata__')
          .map((name, i) => ({
            ...{ name, shape: shapes[i] },
            data: Float32Array.from({ length: sizeOf(shapes[i]) }, (_, j) => Math.sin(i + j)),
          }));
        const bytes = writeSafetensors(tensors, metadata);
        const read = parseSafetensors(bytes);
        expect(read.metadata).toEqual(metadata);
        expect(read.tensors.size).toBe(tensors.length);
        for (const t of tensors) {
          const stored = read.tensors.get(new TextDecoder().decode(new TextEncoder().encode(t.name)))!;
          expect(stored.shape).toEqual(t.shape);
          expect(valuesOf(stored)).toEqual(t.data);
        }
        // Data begin at a multiple of 8, as readers that map files expect.
        expect(Number(new DataView(bytes.buffer).getBigUint64(0, true)) % 8).toBe(0);
      }),
    );
  });

  const four = new Uint8Array(4);
  it.each([
    ['nothing', new Uint8Array(0), /it has 0 bytes/],
    ['half a length', new Uint8Array(7), /it has 7 bytes/],
    ['a header longer than the file', file('{}', four, 1000n), /should have 1000 bytes; 6 are there/],
    [
      'a header of 2^64 - 1 bytes',
      file('{}', four, 2n ** 64n - 1n),
      /should have 18446744073709551615 bytes/,
    ],
    ['a header that is no JSON', file('{"a":'), /not a JSON object/],
    ['a header that is a list', file('[]'), /not a JSON object/],
    ['a header that is no UTF-8', file('{}').fill(0xff, 8), /not a JSON object/],
    ['an entry that is no object', file('{"a":3}'), /entry 'a'/],
    ['an unknown type', file(`{"a":${entry([1], 0, 4, 'F31')}}`, four), /entry 'a'/],
    ['a type from the prototype', file(`{"a":${entry([1], 0, 4, 'constructor')}}`, four), /entry 'a'/],
    ['a negative size', file(`{"a":${entry([-1], 0, 4)}}`, four), /entry 'a'/],
    ['a size that is no whole number', file(`{"a":${entry([0.5], 0, 2)}}`, four), /entry 'a'/],
    ['sizes that overflow', file(`{"a":${entry([2 ** 30, 2 ** 30], 0, 4)}}`, four), /entry 'a'/],
    ['an end before its beginning', file(`{"a":${entry([1], 4, 0)}}`, four), /entry 'a'/],
    ['an end behind the data', file(`{"a":${entry([2], 0, 8)}}`, four), /at 0 to 8 of 4/],
    ['a length that is not the shape', file(`{"a":${entry([2], 0, 4)}}`, four), /8 bytes\) is at 0 to 4/],
    ['bytes of no tensor before', file(`{"a":${entry([0], 4, 4)}}`, four), /bytes 0 to 4 are no tensor's/],
    ['bytes of no tensor after', file(`{"a":${entry([0], 0, 0)}}`, four), /last 4 bytes/],
    [
      'two tensors at one place',
      file(`{"a":${entry([1], 0, 4)},"b":${entry([1], 0, 4)}}`, four),
      /or two tensors'/,
    ],
    ['metadata that are no texts', file('{"__metadata__":{"a":1}}'), /metadata/],
    ['metadata that are a list', file('{"__metadata__":[]}'), /metadata/],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => parseSafetensors(bytes)).toThrow(message);
    try {
      parseSafetensors(bytes);
    } catch (error) {
      expect((error as BiphaseError).code).toBe('invalid_data');
    }
  });

  it('answers any bytes with tensors inside the file, or a typed error', () => {
    const sound = writeSafetensors([{ name: 'w', shape: [2, 3], data: new Float32Array(6) }], { a: 'b' });
    const edit = fc.record({ at: fc.nat(sound.length - 1), byte: fc.nat(255) });
    const mutated = fc
      .tuple(fc.array(edit, { maxLength: 6 }), fc.nat(sound.length))
      .map(([edits, length]) => {
        const bytes = sound.slice();
        for (const { at, byte } of edits) bytes[at] = byte;
        return length % 4 === 0 ? bytes.subarray(0, length) : bytes;
      });
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 64 })), (bytes) => {
        try {
          for (const t of parseSafetensors(bytes).tensors.values())
            expect(t.bytes.byteOffset + t.bytes.byteLength).toBeLessThanOrEqual(
              bytes.byteOffset + bytes.length,
            );
        } catch (error) {
          expect(error).toBeInstanceOf(BiphaseError);
          expect((error as BiphaseError).code).toBe('invalid_data');
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('a seal holds for the very bits, anywhere in the file', async () => {
    const sealed = writeSafetensors([{ name: 'w', shape: [2], data: Float32Array.of(1, 2) }], {
      step: '12',
      sha256: UNSEALED,
    });
    expect(await isSealed(sealed)).toBe(false);
    await seal(sealed);
    expect(await isSealed(sealed)).toBe(true);
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      sealed[bit >> 3] ^= 1 << (bit & 7);
      expect(await isSealed(sealed)).toBe(false);
      sealed[bit >> 3] ^= 1 << (bit & 7);
    }
    expect(await isSealed(sealed)).toBe(true);
  });

  it('a seal is the same on pages without crypto.subtle (http), also for longer files', async () => {
    const files = [0, 1, 55, 56, 64, 1000].map((n) =>
      writeSafetensors([{ name: 'w', shape: [n], data: new Float32Array(n).fill(n) }], { sha256: UNSEALED }),
    );
    const plain = files.map((f) => f.slice());
    await Promise.all(files.map(seal));
    vi.stubGlobal('crypto', {});
    await Promise.all(plain.map(seal));
    const kept = await Promise.all(files.map(isSealed));
    vi.unstubAllGlobals();
    expect(plain).toEqual(files);
    expect(kept).toEqual(files.map(() => true));
  });
});
