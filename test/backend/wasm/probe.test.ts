import { describe, expect, it } from 'vitest';
import { chooseBuild } from '../../../src/backend/wasm/load.ts';
import { type Dot, isExactUnsigned } from '../../../src/backend/wasm/probe.ts';
import { createEngine } from '../../../src/index.ts';

/** Engines as they are known to differ in i32x4.relaxed_dot_i8x16_i7x16_add_s. */
const engine =
  (value: (x: number) => number, pair: (sum: number) => number): Dot =>
  (w, x, sum) =>
    sum.map((s, lane) => {
      const term = (i: number) => w[lane * 4 + i] * value(x[lane * 4 + i]);
      return s + pair(term(0) + term(1)) + pair(term(2) + term(3));
    });
const unsigned = (x: number) => x;
const signed = (x: number) => (x << 24) >> 24;
const exact = (s: number) => s;
const saturating = (s: number) => Math.max(-32768, Math.min(32767, s));

describe('the probe of the relaxed dot', () => {
  it('takes an engine that is exact for unsigned bytes', () => {
    expect(isExactUnsigned(engine(unsigned, exact))).toBe(true);
  });
  it.each([
    ['saturates sums of pairs', engine(unsigned, saturating)],
    ['takes the second operand as signed', engine(signed, exact)],
    ['drops the third operand', ((w, x) => engine(unsigned, exact)(w, x, new Int32Array(4))) as Dot],
    ['mixes lanes up', ((w, x, s) => engine(unsigned, exact)(w, x, s).reverse()) as Dot],
    ['returns nonsense', (() => Int32Array.of(1, 2, 3, 4)) as Dot],
  ])('refuses an engine that %s', (_, dot) => {
    expect(isExactUnsigned(dot)).toBe(false);
  });
});

describe('choosing a build', () => {
  it('takes relaxed where the engine has it, simd128 otherwise', async () => {
    expect((await chooseBuild(undefined, () => true)).build).toBe('relaxed');
    let asked = 0;
    expect((await chooseBuild(undefined, () => ++asked > 1)).build).toBe('simd128');
  });
  it('says what is missing', async () => {
    const none = () => false;
    await expect(chooseBuild(undefined, none)).rejects.toThrow(
      /no WebAssembly SIMD \(128 bit\), which is required/,
    );
    await expect(chooseBuild('relaxed', none)).rejects.toThrow(/no relaxed SIMD; leave out build/);
  });
  it('refuses nonsense options', async () => {
    await expect(createEngine({ backend: 'wasm', threads: 0 })).rejects.toMatchObject({
      code: 'invalid_argument',
    });
    await expect(createEngine({ backend: 'wasm', build: 'avx' as never })).rejects.toMatchObject({
      code: 'invalid_argument',
    });
  });
});
