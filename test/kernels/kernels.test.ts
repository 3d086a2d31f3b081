import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Kernels, loadKernels } from '../../src/kernels/index.ts';
import { activations } from '../../src/ops/activation.ts';
import { requantize } from '../../src/ops/requantize.ts';

let kernels: Kernels;
beforeAll(async () => {
  kernels = await loadKernels({ memoryBytes: 8 * 2 ** 20 });
});

const values = (n: number, seed: number) =>
  Float32Array.from({ length: n }, (_, i) => Math.sin(i * 1.7 + seed) * 2);
const size = fc.integer({ min: 0, max: 40 });

describe('matmul', () => {
  it('any sizes, transposes, leading dimensions, bias; gaps between rows keep their values', () => {
    const gap = fc.integer({ min: 0, max: 3 });
    fc.assert(
      fc.property(
        size,
        size,
        size,
        fc.boolean(),
        fc.boolean(),
        gap,
        fc.boolean(),
        (m, n, k, ta, tb, extra, biased) => {
          const [lda, ldb, ldc] = [(ta ? m : k) + extra, (tb ? k : n) + extra, n + extra];
          const a = values((ta ? k : m) * lda, 1);
          const b = values((tb ? n : k) * ldb, 2);
          const bias = biased ? values(n, 3) : undefined;
          const out = new Float32Array(m * ldc).fill(99);
          kernels.matmul(a, b, out, { m, n, k, transposeA: ta, transposeB: tb, lda, ldb, ldc, bias });
          for (let i = 0; i < m; i++)
            for (let j = 0; j < ldc; j++) {
              let want = j < n ? (bias?.[j] ?? 0) : 99;
              if (j < n)
                for (let l = 0; l < k; l++)
                  want += a[ta ? l * lda + i : i * lda + l] * b[tb ? j * ldb + l : l * ldb + j];
              expect(Math.abs(out[i * ldc + j] - want)).toBeLessThan(1e-4);
            }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('adds up the products first and then the bias: small ones do not drown in it, and every batch gets the same answer', () => {
    const [n, k] = [21, 784];
    const b = new Float32Array(n * k).fill(1);
    for (const [term, large] of [
      [1e-3, 10],
      [1e-3, -3000],
      [-1e-4, 1e6],
    ]) {
      const bias = new Float32Array(n).fill(large);
      const want = large + k * Math.fround(term);
      const bound = 1.2 * (k + 8) * 2 ** -24 * k * Math.abs(term) + 2 ** -24 * Math.abs(want);
      for (const m of [1, 2, 7, 30])
        for (const transposeB of [false, true]) {
          const a = new Float32Array(m * k).fill(term);
          const out = kernels.matmul(a, b, new Float32Array(m * n), { m, n, k, transposeB, bias });
          for (const y of out) expect(Math.abs(y - want)).toBeLessThanOrEqual(bound);
        }
    }
  });

  it('refuses an activation that there is none of, before any work', () => {
    const one = new Float32Array(1);
    const product = (activation: string) => () =>
      kernels.matmul(one, one, new Float32Array(1), { m: 1, n: 1, k: 1, activation: activation as never });
    expect(product('leakyRelu')).toThrow(/activation is 'leakyRelu', expected .*'leaky_relu'/);
    expect(product('constructor')).toThrow(/activation is 'constructor'/);
    expect(product('leaky_relu')()).toEqual(Float32Array.of(0));
  });

  it('works in place on its own memory, without copies, and applies an activation', () => {
    const [a, b, out] = [kernels.alloc('f32', 6), kernels.alloc('f32', 6), kernels.alloc('f32', 4)];
    a.set([1, 2, 3, -4, -5, -6]);
    b.set([1, 0, 0, 1, 1, 1]);
    const held = kernels.allocatedBytes;
    expect(kernels.matmul(a, b, out, { m: 2, n: 2, k: 3, activation: 'relu' })).toBe(out);
    expect([...out]).toEqual([4, 5, 0, 0]);
    expect(kernels.allocatedBytes).toBe(held);
    for (const x of [a, b, out]) kernels.free(x);
    expect(kernels.allocatedBytes).toBe(0);
  });
});

describe('matmulInt8', () => {
  const ones = (n: number) => ({
    ...{ bias: new Int32Array(n), multiplier: new Int32Array(n).fill(2 ** 30), shift: 30 },
  });

  it('keeps one byte for a weight, and a copy for tiles only where there is more than one row', () => {
    const [n, k] = [40, 100];
    const held = kernels.allocatedBytes;
    const weights = kernels.packWeights(new Int8Array(n * k).fill(1), { n, k });
    expect(weights.bytes).toBe(n * k);
    const kept = kernels.allocatedBytes;
    expect(kept - held).toBeLessThan(n * k + 64);
    const product = (m: number) => {
      const x = new Uint8Array(m * k).fill(2);
      return kernels.matmulInt8(x, weights, new Uint8Array(m * n), { m, ...ones(n) });
    };
    expect(product(1)).toEqual(new Uint8Array(n).fill(200));
    expect(kernels.allocatedBytes).toBe(kept);
    expect(product(2)).toEqual(new Uint8Array(2 * n).fill(200));
    const packed = kernels.allocatedBytes - kept;
    expect(packed).toBeGreaterThanOrEqual(n * k);
    expect(packed).toBeLessThan(3 * n * k);
    product(7);
    expect(kernels.allocatedBytes - kept).toBe(packed);
    kernels.free(weights);
    expect(kernels.allocatedBytes).toBe(held);
  });

  it('a row gives the same alone, among others, and as the last of many, whatever K and the columns leave over', () => {
    for (const k of [1, 7, 8, 15, 16, 17, 24, 40, 99])
      for (const n of [1, 3, 4, 5, 97, 130]) {
        const weights = kernels.packWeights(
          Int8Array.from({ length: n * k }, (_, i) => ((i * 151 + 3) & 255) - 128),
          { n, k },
        );
        const m = 7;
        const x = Uint8Array.from({ length: m * k }, (_, i) => (i * 89 + 7) & 255);
        const options = {
          bias: Int32Array.from({ length: n }, (_, j) => j * 1000 - 5000),
          multiplier: new Int32Array(n).fill(2 ** 28),
          ...{ shift: 38, zeroPoint: 128 },
        };
        const all = kernels.matmulInt8(x, weights, new Uint8Array(m * n), { m, ...options });
        for (let i = 0; i < m; i++) {
          const row = x.subarray(i * k, (i + 1) * k);
          const alone = kernels.matmulInt8(row, weights, new Uint8Array(n), { m: 1, ...options });
          expect(alone, `K ${k}, ${n} columns, row ${i}`).toEqual(all.slice(i * n, (i + 1) * n));
        }
        kernels.free(weights);
      }
  });

  it('is exact', () => {
    fc.assert(
      fc.property(size, size, size, fc.integer({ min: 17, max: 62 }), (m, n, k, shift) => {
        const x = Uint8Array.from({ length: m * k }, (_, i) => (i * 89 + 7) & 255);
        const weight = Int8Array.from({ length: n * k }, (_, i) => ((i * 151 + 3) & 255) - 128);
        const bias = Int32Array.from({ length: n }, (_, i) => i * 1001 - 9000);
        const multiplier = Int32Array.from({ length: n }, (_, i) => 2 ** 30 + i * 12345678);
        const weights = kernels.packWeights(weight, { n, k });
        const out = kernels.matmulInt8(x, weights, new Uint8Array(m * n), {
          m,
          bias,
          multiplier,
          shift,
          zeroPoint: 12,
          max: 250,
        });
        kernels.free(weights);
        out.forEach((q, at) => {
          const [i, j] = [Math.floor(at / n), at % n];
          let acc = bias[j];
          for (let l = 0; l < k; l++) acc += x[i * k + l] * weight[j * k + l];
          expect(q).toBe(Math.min(250, Math.max(0, requantize(acc, multiplier[j], shift) + 12)));
        });
      }),
      { numRuns: 60 },
    );
  });
});

describe('the others', () => {
  const x = values(37, 5);
  it.each(['relu', 'silu', 'sigmoid', 'tanh', 'softplus', 'hardswish'] as const)('%s', (name) => {
    const f = activations[name].f as (x: number) => number;
    kernels.activation(name, x, new Float32Array(37)).forEach((y, i) => {
      expect(Math.abs(y - f(x[i]))).toBeLessThan(1e-6);
    });
  });
  it('activation in place', () => {
    const y = x.slice();
    kernels.activation('relu', y, y);
    expect(y).toEqual(x.map((v) => Math.max(0, v)));
  });
  it('softmax rows sum to one', () => {
    const y = kernels.softmax(x, new Float32Array(37), { rows: 4, n: 9 });
    for (let r = 0; r < 4; r++)
      expect(y.subarray(r * 9, r * 9 + 9).reduce((a, b) => a + b)).toBeCloseTo(1, 6);
  });
  it('quantize and dequantize go there and back', () => {
    const options = { scale: Math.fround(0.02), zeroPoint: 128 };
    const back = kernels.dequantize(
      kernels.quantize(x, new Uint8Array(37), options),
      new Float32Array(37),
      options,
    );
    back.forEach((v, i) => {
      expect(Math.abs(v - x[i])).toBeLessThanOrEqual(0.0101);
    });
  });
});

describe('bad calls are refused', () => {
  const f = (n: number) => new Float32Array(n);
  it.each([
    [
      'a short operand',
      () => kernels.matmul(f(5), f(6), f(4), { m: 2, n: 2, k: 3 }),
      /matmul: a has 5 elements; 2 rows of 3 every 3 need 6/,
    ],
    [
      'a wrong type',
      () => kernels.matmul(new Float64Array(6) as never, f(6), f(4), { m: 2, n: 2, k: 3 }),
      /matmul: a: got Float64Array, expected/,
    ],
    [
      'rows that overlap',
      () => kernels.matmul(f(6), f(6), f(4), { m: 2, n: 2, k: 3, lda: 2 }),
      /rows start every 2 elements/,
    ],
    [
      'a size that is no whole number',
      () => kernels.matmul(f(6), f(6), f(4), { m: 1.5, n: 2, k: 3 }),
      /m is 1.5/,
    ],
    [
      'a shift out of range',
      () =>
        kernels.matmulInt8(
          new Uint8Array(0),
          kernels.packWeights(new Int8Array(0), { n: 0, k: 0 }),
          new Uint8Array(0),
          { m: 0, bias: new Int32Array(0), multiplier: new Int32Array(0), shift: 3 },
        ),
      /shift is 3/,
    ],
    ['an unknown activation', () => kernels.activation('swoosh' as never, f(1), f(1)), /none named 'swoosh'/],
    [
      'a scale of nothing',
      () => kernels.quantize(f(1), new Uint8Array(1), { scale: 0, zeroPoint: 0 }),
      /scale is 0/,
    ],
    [
      'more memory than there is',
      () => kernels.alloc('f32', 2 ** 24),
      /an array of 16777216 f32 needs 64.0 MiB/,
    ],
    ['freeing what is not ours', () => kernels.free(f(3)), /did not come from alloc/],
    [
      'freeing twice',
      () => {
        const x = kernels.alloc('f32', 3);
        kernels.free(x);
        kernels.free(x);
      },
      /or was freed before/,
    ],
    ['freeing a part', () => kernels.free(kernels.alloc('f32', 3).subarray(1)), /did not come from alloc/],
    [
      'a product over its own operand',
      () => {
        const x = f(4);
        kernels.matmul(x, f(4), x, { m: 2, n: 2, k: 2 });
      },
      /out shares memory with an operand/,
    ],
    [
      'weights that were freed',
      () => {
        const weights = kernels.packWeights(new Int8Array(4), { n: 2, k: 2 });
        kernels.free(weights);
        const options = { m: 1, bias: new Int32Array(2), multiplier: new Int32Array(2), shift: 30 };
        kernels.matmulInt8(new Uint8Array(2), weights, new Uint8Array(2), options);
      },
      /these weights were freed/,
    ],
    [
      'a clamp out of range',
      () => {
        const weights = kernels.packWeights(new Int8Array(4), { n: 2, k: 2 });
        const options = { m: 1, bias: new Int32Array(2), multiplier: new Int32Array(2), shift: 30, max: 256 };
        kernels.matmulInt8(new Uint8Array(2), weights, new Uint8Array(2), options);
      },
      /max is 256, expected a number from 0 to 255/,
    ],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(message);
  });
});
