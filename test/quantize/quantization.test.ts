import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { roundEven } from '../../src/ops/quantized.ts';
import { requantize } from '../../src/ops/requantize.ts';
import { RangeObserver } from '../../src/quantize/calibrate.ts';
import {
  activationParams,
  activationTable,
  quantizeLinear,
  quantizeValue,
} from '../../src/quantize/quantization.ts';

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

describe('requantize', () => {
  it('is the exact product, shifted, halves away from zero', () => {
    fc.assert(
      fc.property(
        int32,
        fc.integer({ min: 0, max: 2 ** 31 - 1 }),
        fc.integer({ min: 17, max: 62 }),
        (acc, multiplier, shift) => {
          const product = BigInt(acc) * BigInt(multiplier);
          const half = 1n << BigInt(shift - 1);
          const magnitude = ((product < 0n ? -product : product) + half) >> BigInt(shift);
          expect(requantize(acc, multiplier, shift)).toBe(Number(product < 0n ? -magnitude : magnitude) + 0);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('rounds halves away from zero', () => {
    // multiplier / 2^shift = 1/2
    expect([1, 3, -1, -3, 2, -2].map((acc) => requantize(acc, 2 ** 30, 31))).toEqual([1, 2, -1, -2, 1, -1]);
  });
});

describe('roundEven', () => {
  it('rounds halves to even, as ONNX QuantizeLinear', () => {
    expect([0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 2.4, -2.6].map((x) => roundEven(x) + 0)).toEqual([
      0, 2, 2, 0, -2, -2, 2, -3,
    ]);
  });
});

describe('activation parameters', () => {
  it('cover the range and hold zero exactly', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e6, max: 1e6, noNaN: true }),
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        (min, width) => {
          const p = activationParams({ min, max: min + width });
          expect(quantizeValue(0, p)).toBe(p.zeroPoint);
          for (const x of [Math.min(0, min), Math.max(0, min + width), min + width / 3]) {
            const back = (quantizeValue(x, p) - p.zeroPoint) * p.scale;
            expect(Math.abs(back - x)).toBeLessThanOrEqual(p.scale * 1.01 + 1e-9);
          }
        },
      ),
    );
  });

  it('serve a tensor that is always zero', () => {
    expect(quantizeValue(0, activationParams({ min: 0, max: 0 }))).toBe(0);
  });
});

describe('linear layers in integers', () => {
  const layer = (weights: number[], n: number, k: number, bias?: number[]) =>
    quantizeLinear(
      { data: Float32Array.from(weights), n, k, at: (c, l) => c * k + l },
      bias && Float32Array.from(bias),
      { scale: Math.fround(0.02), zeroPoint: 10 },
      { scale: Math.fround(0.05), zeroPoint: 100 },
    );

  it('come within one step of the f32 layer', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ min: -1, max: 1, noNaN: true }), { minLength: 12, maxLength: 12 }),
        fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 4, maxLength: 4 }),
        fc.array(fc.float({ min: -2, max: 2, noNaN: true }), { minLength: 3, maxLength: 3 }),
        (weights, x, bias) => {
          const q = layer(weights, 3, 4, bias);
          if (typeof q === 'string') throw new Error(q);
          for (let c = 0; c < 3; c++) {
            let acc = q.bias[c];
            let real = bias[c];
            for (let l = 0; l < 4; l++) {
              acc += x[l] * q.weight[c * 4 + l];
              real += (x[l] - 10) * 0.02 * weights[c * 4 + l];
            }
            const y = requantize(acc, q.multiplier[c], q.shift) * 0.05;
            const weightError =
              (4 * 255 * 0.02 * Math.max(...weights.slice(c * 4, c * 4 + 4).map(Math.abs))) / 254;
            expect(Math.abs(y - real)).toBeLessThan(0.05 / 2 + weightError + 1e-3);
          }
        },
      ),
    );
  });

  it('keep a bias where all weights of a channel are zero', () => {
    const q = layer([0, 0], 1, 2, [0.3]);
    if (typeof q === 'string') throw new Error(q);
    expect(requantize(q.bias[0], q.multiplier[0], q.shift)).toBe(Math.round(0.3 / 0.05));
  });

  it.each([1, 1e-3, 0.05 * 2 ** -10])(
    'a channel of zeros takes nothing from its neighbours (output scale %s)',
    (scale) => {
      const [input, output] = [
        { scale: Math.fround(0.02), zeroPoint: 10 },
        { scale, zeroPoint: 100 },
      ];
      const of = (rows: number[][]) => {
        const at = (c: number, l: number) => c * 2 + l;
        const data = Float32Array.from(rows.flat());
        const q = quantizeLinear({ data, n: rows.length, k: 2, at }, undefined, input, output);
        if (typeof q === 'string') throw new Error(q);
        return q;
      };
      const [alone, beside] = [
        of([[1e-3, -2e-3]]),
        of([
          [1e-3, -2e-3],
          [0, 0],
        ]),
      ];
      expect([beside.shift, beside.multiplier[0], beside.bias[0]]).toEqual([
        alone.shift,
        alone.multiplier[0],
        alone.bias[0],
      ]);
      expect([beside.multiplier[1], beside.bias[1], ...beside.weight.subarray(2)]).toEqual([0, 0, 0, 0]);
      expect(of([[0, 0]]).multiplier[0]).toBe(0);
    },
  );

  it('are quantized where all that they gave in calibration was 0', () => {
    const q = quantizeLinear(
      { data: Float32Array.of(0.5, -1), n: 1, k: 2, at: (_, l) => l },
      Float32Array.of(-3),
      activationParams({ min: 0, max: 1 }),
      activationParams({ min: 0, max: 0 }),
    );
    expect(q).toMatchObject({ shift: expect.any(Number) });
  });

  it('say why they cannot be quantized', () => {
    expect(layer([Number.NaN, 1], 1, 2)).toMatch(/NaN or infinity \(output channel 0\)/);
    expect(
      quantizeLinear(
        { data: new Float32Array(40000), n: 1, k: 40000, at: (_, l) => l },
        undefined,
        { scale: 1, zeroPoint: 0 },
        { scale: 1, zeroPoint: 0 },
      ),
    ).toMatch(/may overflow int32/);
  });

  it('table an activation', () => {
    const p = { scale: Math.fround(0.1), zeroPoint: 128 };
    const table = activationTable(Math.tanh, p, { scale: Math.fround(1 / 127), zeroPoint: 128 });
    expect([table[0], table[128], table[255]]).toEqual([1, 128, 255]);
    expect(table[138]).toBe(128 + Math.round(127 * Math.tanh(1)));
  });
});

describe('observing ranges', () => {
  const observe = (values: number[]) => {
    const o = new RangeObserver();
    o.observe(values, 'x');
    return o;
  };

  it('min-max is exact', () => {
    expect(observe([3, -1, 2, 1e-5]).range({ method: 'minmax' })).toEqual({ min: -1, max: 3 });
  });

  it('a percentile leaves out the rarest values on both sides', () => {
    const values = Array.from({ length: 10000 }, (_, i) => i / 10000).concat([1000, -1000]);
    const { min, max } = observe(values).range({ method: 'percentile', percentile: 99.9 });
    expect(max).toBeGreaterThan(0.9);
    expect(max).toBeLessThan(2);
    expect(min).toBeGreaterThan(-1);
  });

  it.each([1e4, 1e30, 3e38, -1e30])('an outlier of %s costs the others no resolution', (outlier) => {
    const values = Array.from({ length: 9999 }, (_, i) => Math.sign(outlier) * (i / 9999)).concat([outlier]);
    const { min, max } = observe(values).range({ method: 'percentile', percentile: 99.9 });
    const far = outlier > 0 ? max : -min;
    expect(far).toBeGreaterThan(0.998);
    expect(far).toBeLessThanOrEqual(1);
    expect(Math.abs(outlier > 0 ? min : max)).toBeLessThan(0.002);
  });

  it('a percentile is exact but for 0.1 %, for values of any size and sign, in any number of parts', () => {
    const values = Float32Array.from({ length: 20_001 }, (_, i) => Math.sinh((i - 10_000) / 500) * 1e-3);
    const o = new RangeObserver();
    for (let at = 0; at < values.length; at += 1000) o.observe(values.subarray(at, at + 1000), 'x');
    for (const percentile of [60, 90, 99, 99.9]) {
      const { min, max } = o.range({ method: 'percentile', percentile });
      const at = Math.floor((1 - percentile / 100) * values.length + 1e-6);
      expect(Math.abs(min / values[at] - 1)).toBeLessThan(2e-3);
      expect(Math.abs(max / values[values.length - 1 - at] - 1)).toBeLessThan(2e-3);
    }
  });

  it('the 100th percentile is min-max, but for rounding at the edge of a bin', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: 1 }), (values) => {
        const o = observe(values);
        const [all, most] = [
          o.range({ method: 'minmax' }),
          o.range({ method: 'percentile', percentile: 100 }),
        ];
        expect(Math.abs(most.min - all.min)).toBeLessThan(1e-9);
        expect(Math.abs(most.max - all.max)).toBeLessThan(1e-9);
      }),
    );
  });

  it('refuses NaN and emptiness', () => {
    expect(() => observe([1, Number.NaN])).toThrow(/NaN at position 1/);
    expect(() => new RangeObserver().range({ method: 'minmax' })).toThrow(/no values/);
  });
});
