import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchOrder, type DataSet, fromArrays, subset, take } from '../../src/data/index.ts';

const bytes = fromArrays({
  input: Uint8Array.of(0, 1, 2, 3, 254, 255),
  inputShape: [2],
  target: Uint8Array.of(7, 8, 9),
  transform: { scale: 0.5, shift: -1 },
});

const gather = (data: DataSet, ...indices: number[]) => {
  const size = data.input.shape.reduce((a, b) => a * b, 1);
  const input = new Float32Array(indices.length * size);
  const target = new Int32Array(indices.length);
  data.gather(indices, input, target);
  return { input: [...input], target: [...target] };
};

describe('fromArrays', () => {
  it('gathers bytes as f32, transformed, in the order asked for', () => {
    expect(bytes).toMatchObject({
      length: 3,
      input: { dtype: 'f32', shape: [2] },
      target: { dtype: 'i32', shape: [] },
    });
    expect(gather(bytes, 2, 0, 2)).toEqual({ input: [126, 126.5, -1, -0.5, 126, 126.5], target: [9, 7, 9] });
  });

  it('transforms f32 as bytes, and copies it where there is nothing to do', () => {
    const source = { input: Float32Array.of(1, 2, 3, 4), inputShape: [2], target: Int32Array.of(0, 1) };
    expect(gather(fromArrays(source), 1).input).toEqual([3, 4]);
    expect(gather(fromArrays({ ...source, transform: { scale: 2, shift: 1 } }), 1).input).toEqual([7, 9]);
  });

  it('takes targets of a shape, in f32', () => {
    const data = fromArrays({
      input: Float32Array.of(1, 2),
      inputShape: [],
      target: Float32Array.of(1, 2, 3, 4),
      targetShape: [2],
    });
    const target = new Float32Array(2);
    data.gather([1], new Float32Array(1), target);
    expect(data.target).toEqual({ dtype: 'f32', shape: [2] });
    expect([...target]).toEqual([3, 4]);
  });

  it('refuses data that does not fit together', () => {
    const target = Int32Array.of(1);
    const make = (input: Float32Array, inputShape = [2], classes = target) =>
      fromArrays({ input, inputShape, target: classes });
    expect(() => make(new Float32Array(0))).toThrow(/empty/);
    expect(() => make(new Float32Array(3))).toThrow(/3 input values are not a whole number of samples/);
    expect(() => make(new Float32Array(4))).toThrow(/2 inputs need 2 target values of shape .*, got 1/);
    const wrong = [1, 2] as unknown as Float32Array;
    expect(() => make(wrong)).toThrow(/got Array, expected Float32Array/);
  });

  it('refuses samples that are not there', () => {
    for (const index of [-1, 3, NaN]) expect(() => gather(bytes, index)).toThrow(/the data set has 3/);
  });
});

describe('fromArrays by name', () => {
  const ids = Int32Array.of(1, 2, 3, 4, 5, 6);
  const named = fromArrays({
    inputs: {
      ids: { values: ids, shape: [2] },
      image: { values: Uint8Array.of(10, 20, 30) },
      scaled: { values: Uint8Array.of(10, 20, 30), transform: { scale: 0.5, shift: 1 } },
      weight: Float32Array.of(0.25, 0.5, 0.75),
    },
    targets: {
      next: Uint8Array.of(7, 8, 9),
      value: { values: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [2] },
    },
  });

  it('keeps whole numbers and bytes whole, and says what batches hold', () => {
    expect(named).toMatchObject({
      length: 3,
      inputs: {
        ids: { dtype: 'i32', shape: [2] },
        image: { dtype: 'u8', shape: [] },
        scaled: { dtype: 'f32', shape: [] },
        weight: { dtype: 'f32', shape: [] },
      },
      targets: { next: { dtype: 'i32', shape: [] }, value: { dtype: 'f32', shape: [2] } },
    });
    const inputs = {
      ...{ ids: new Int32Array(4), image: new Uint8Array(2) },
      ...{ scaled: new Float32Array(2), weight: new Float32Array(2) },
    };
    const targets = { next: new Int32Array(2), value: new Float32Array(4) };
    subset(named, 1, 3).gather([1, 0], inputs, targets);
    expect(inputs).toEqual({
      ids: Int32Array.of(5, 6, 3, 4),
      image: Uint8Array.of(30, 20),
      scaled: Float32Array.of(16, 11),
      weight: Float32Array.of(0.75, 0.5),
    });
    expect(targets).toEqual({ next: Int32Array.of(9, 8), value: Float32Array.of(5, 6, 3, 4) });
  });

  it('takes a target without a name beside inputs with names', () => {
    const { targets } = fromArrays({
      inputs: { ids: { values: ids, shape: [2] } },
      targets: Int32Array.of(0, 1, 0),
    });
    expect(targets).toEqual({ target: { dtype: 'i32', shape: [] } });
  });

  it('refuses fields that do not fit together, by name', () => {
    const make =
      (mask: Float32Array, next = new Int32Array(3)) =>
      () =>
        fromArrays({
          inputs: { ids: { values: ids, shape: [2] }, mask: { values: mask, shape: [2] } },
          targets: { next },
        });
    expect(make(new Float32Array(5))).toThrow('inputs.mask has 5 values, expected 3 samples of [2]');
    expect(make(new Float32Array(6), new Int32Array(4))).toThrow(
      'targets.next has 4 values, expected 3 samples',
    );
    expect(make([1, 2] as never)).toThrow('inputs.mask: got Array');
    const odd = { inputs: { ids: { values: ids, shape: [4] } }, targets: ids };
    expect(() => fromArrays(odd)).toThrow('inputs.ids has 6 values, not a whole number of samples of [4]');
    expect(() => fromArrays({ inputs: {}, targets: ids })).toThrow(/empty/);
    expect(() => fromArrays({ inputs: { ids: new Int32Array(0) }, targets: ids })).toThrow(/empty/);
    expect(() => fromArrays({ inputs: { ids }, target: ids } as never)).toThrow(/unknown option 'target'/);
  });
});

describe('subset', () => {
  it('is a window on the same memory', () => {
    expect(subset(bytes, 1, 3).length).toBe(2);
    expect(gather(subset(bytes, 1, 3), 0)).toEqual(gather(bytes, 1));
    expect(gather(take(bytes, 2), 1)).toEqual(gather(bytes, 1));
    expect(gather(subset(subset(bytes, 1, 3), 1, 2), 0)).toEqual(gather(bytes, 2));
  });

  it('refuses windows outside the data, or empty ones', () => {
    for (const [a, b] of [
      [-1, 2],
      [0, 4],
      [2, 2],
      [2, 1],
      [0, NaN],
    ])
      expect(() => subset(bytes, a, b)).toThrow(/not inside a data set of 3/);
  });

  it('refuses samples outside the window', () => {
    expect(() => gather(take(bytes, 2), 2)).toThrow(/the data set has/);
    expect(() => gather(subset(bytes, 1, 3), -1)).toThrow(/the data set has/);
  });
});

describe('batchOrder', () => {
  const order = (length: number, seed: number, epoch: number, shuffle = true) =>
    Array.from(batchOrder(length, { seed, epoch, shuffle }));

  it('is a permutation, given by seed and epoch alone', () => {
    fc.assert(
      fc.property(fc.nat(300), fc.nat(2 ** 32 - 1), fc.nat(1000), (length, seed, epoch) => {
        const once = order(length, seed, epoch);
        expect(once).toEqual(order(length, seed, epoch));
        expect(once.toSorted((a, b) => a - b)).toEqual(Array.from({ length }, (_, i) => i));
      }),
    );
  });

  it('differs between seeds and between epochs', () => {
    expect(order(100, 1, 0)).not.toEqual(order(100, 2, 0));
    expect(order(100, 1, 0)).not.toEqual(order(100, 1, 1));
  });

  it('puts every sample in every place about equally often', () => {
    const seen = new Uint32Array(25);
    for (let epoch = 0; epoch < 5000; epoch++)
      for (const [at, sample] of order(5, 3, epoch).entries()) seen[at * 5 + sample]++;
    // 1,000 expected; five standard deviations are about 141.
    for (const n of seen) expect(Math.abs(n - 1000)).toBeLessThan(141);
  });

  it('leaves the order alone without shuffling', () => {
    expect(order(4, 9, 9, false)).toEqual([0, 1, 2, 3]);
  });
});
