import { beforeAll, describe, expect, it } from 'vitest';
import { type Kernels, loadKernels } from '../../src/kernels/index.ts';
import { type ActivationName, activations } from '../../src/ops/activation.ts';

/** Loops take turns of several vectors; an element must not show where in a turn, or after the last one, it was computed. */

let kernels: Kernels;
beforeAll(async () => {
  kernels = await loadKernels({ memoryBytes: 4 * 2 ** 20 });
});

const LONGEST = 41;
const ends = [Number.NaN, Infinity, -Infinity, 0, -0, 1e-40, 3e38, -3e38, 88.8, -87.3, 3, -3];
const x = Float32Array.from({ length: LONGEST }, (_, i) => ends[i] ?? Math.sin(i * 1.7) * 9);
const bits = (values: Float32Array | Uint8Array) => [...new Uint8Array(values.slice().buffer)];

describe('the bits of an element are the same wherever it lies, in arrays of any length', () => {
  it.each(Object.keys(activations) as ActivationName[])('%s', (name) => {
    const whole = kernels.activation(name, x, new Float32Array(LONGEST));
    for (let n = 1; n <= LONGEST; n++)
      for (const from of [0, 1, LONGEST - n]) {
        const part = x.subarray(from, from + n);
        if (part.length < n) continue;
        const beyond = new Float32Array(n + 8).fill(7);
        kernels.activation(name, part, beyond.subarray(0, n));
        expect(bits(beyond.subarray(0, n)), `${n} from ${from}`).toEqual(
          bits(whole.subarray(from, from + n)),
        );
        expect([...beyond.subarray(n)]).toEqual(Array(8).fill(7));
      }
  });

  it('in place', () => {
    for (let n = 1; n <= LONGEST; n++) {
      const y = kernels.alloc('f32', n);
      y.set(x.subarray(0, n));
      kernels.activation('gelu', y, y);
      expect(bits(y)).toEqual(bits(kernels.activation('gelu', x.subarray(0, n), new Float32Array(n))));
      kernels.free(y);
    }
  });

  it('quantize and dequantize', () => {
    const options = { scale: 0.05, zeroPoint: 120 };
    const whole = kernels.quantize(x, new Uint8Array(LONGEST), options);
    const back = kernels.dequantize(whole, new Float32Array(LONGEST), options);
    expect([...whole.subarray(0, 6)]).toEqual([120, 255, 0, 120, 120, 120]);
    for (let n = 1; n <= LONGEST; n++) {
      const q = kernels.quantize(x.subarray(0, n), new Uint8Array(n), options);
      expect([...q]).toEqual([...whole.subarray(0, n)]);
      expect(bits(kernels.dequantize(q, new Float32Array(n), options))).toEqual(bits(back.subarray(0, n)));
    }
  });
});
