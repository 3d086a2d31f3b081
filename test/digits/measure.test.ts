import { describe, expect, it } from 'vitest';
import { createEngine, nn, optim } from '../../src/index.ts';
import { agreement, answersOf, compareBits, sameBits, sameWeights } from '../../tools/digits/measure.ts';

describe('measurements', () => {
  it('take the largest logit of each row as the answer', () => {
    const logits = Float32Array.from({ length: 20 }, (_, i) => (i === 3 || i === 17 ? 9 : 0));
    expect([...answersOf(logits)]).toEqual([3, 7]);
  });

  it('say how often two lists agree', () => {
    expect(agreement([1, 2, 3, 4], [1, 2, 0, 4])).toBe(0.75);
  });

  it('compare bits, not values', () => {
    expect(sameBits(Float32Array.of(NaN, 1), Float32Array.of(NaN, 1))).toBe(true);
    expect(sameBits(Float32Array.of(0), Float32Array.of(-0))).toBe(false);
    expect(sameBits(Float32Array.of(0), Float32Array.of(0, 0))).toBe(false);
    expect(sameBits(Float32Array.of(5, 1).subarray(1), Float32Array.of(1))).toBe(true);
  });

  it('compare weights by name', () => {
    const weights = (x: number, name = 'w') => ({ [name]: { shape: [2], data: Float32Array.of(1, x) } });
    expect(sameWeights(weights(0), weights(0))).toBe(true);
    expect(sameWeights(weights(0), weights(-0))).toBe(false);
    expect(sameWeights(weights(0), weights(0, 'v'))).toBe(false);
    expect(sameWeights({}, weights(0))).toBe(false);
  });

  it('find the int8 bits of a model the same on every backend that is here', async () => {
    using engine = await createEngine({ backend: 'reference' });
    const loss = nn.crossEntropy;
    const training = await engine.train(nn.linear(784, 10), {
      ...{ loss, optimizer: optim.sgd({ lr: 0.1 }), seed: 1, input: [784] },
    });
    const samples = Float32Array.from({ length: 784 * 7 }, (_, i) => Math.sin(i));
    const int8 = await engine.quantize(await training.freeze(), { calibration: samples });
    const { identical, images, backends, absent } = await compareBits(int8, samples, 5);
    expect([identical, images]).toEqual([true, 5]);
    expect(backends.slice(0, 2)).toEqual(['reference', 'wasm']);
    expect(backends.length + absent.length).toBe(3);
  });
});
