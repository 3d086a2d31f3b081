import { describe, expect, it } from 'vitest';
import { dataSet, inputs, loadMnist, PIXELS } from '../../tools/digits/mnist.ts';
import { type Files, firstDigits, idx, withFolder } from './mnist-files.ts';

describe('the real data', () => {
  const { train, test } = loadMnist();

  it('is whole', () => {
    expect([train.count, test.count]).toEqual([60_000, 10_000]);
    for (const { count, images, labels } of [train, test]) {
      expect(images.length).toBe(count * 784);
      expect(labels.length).toBe(count);
    }
  });

  it('has the labels that MNIST has', () => {
    expect([...train.labels.subarray(0, 10)]).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    expect([...test.labels.subarray(0, 10)]).toEqual([7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
    const ofEach = new Array<number>(10).fill(0);
    for (const label of train.labels) ofEach[label]++;
    expect(ofEach).toEqual([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
  });

  it('is centred and scaled by the constants of the example', () => {
    let [sum, squares] = [0, 0];
    const some = inputs(dataSet({ ...train, count: 60_000 })).subarray(0, 20_000 * PIXELS);
    for (const x of some) {
      sum += x;
      squares += x * x;
    }
    expect(Math.abs(sum / some.length)).toBeLessThan(0.01);
    expect(Math.abs(squares / some.length - 1)).toBeLessThan(0.01);
  });
});

describe('files that are wrong', () => {
  const good = firstDigits(20, 10);
  const name = 't10k-images-idx3-ubyte';
  const labels = 't10k-labels-idx1-ubyte';
  const without = ({ [name]: _, ...rest }: Files) => rest;

  it('loads a smaller set of the same form', () =>
    withFolder(good, (folder) => {
      const { train, test } = loadMnist(folder);
      expect([train.count, test.count]).toEqual([20, 10]);
    }));

  it.each<[string, Files, RegExp]>([
    ['a missing file', without(good), /can't read .*t10k-images.*four original MNIST files/],
    [
      'a file cut off',
      { ...good, [name]: good[name].subarray(0, 5000) },
      /t10k-images.*5000 bytes; expected 7856/,
    ],
    [
      'gzip under the plain name',
      { ...good, [name]: Uint8Array.of(0x1f, 0x8b, 8, 0) },
      /t10k-images.*gzip; decompress/,
    ],
    [
      'another image size',
      { ...good, [name]: idx([10, 28, 27], new Uint8Array(10 * 28 * 27)) },
      /expected u8 \[count, 28, 28\]/,
    ],
    [
      'colour images',
      { ...good, [name]: idx([10, 28, 28, 3], new Uint8Array(10 * 784 * 3)) },
      /expected u8 \[count, 28, 28\]/,
    ],
    [
      'no images at all',
      { ...good, [name]: idx([0, 28, 28], new Uint8Array(0)), [labels]: idx([0], new Uint8Array(0)) },
      /no images/,
    ],
    ['a label too few', { ...good, [labels]: idx([9], new Uint8Array(9)) }, /one label for each image/],
    [
      'a label out of range',
      { ...good, [labels]: idx([10], new Uint8Array(10).fill(10, 3, 4)) },
      /label 3 is 10; expected 0 to 9/,
    ],
  ])('refuses %s', (_, files, message) =>
    withFolder(files, (folder) => {
      expect(() => loadMnist(folder)).toThrow(expect.objectContaining({ code: 'invalid_data' }));
      expect(() => loadMnist(folder)).toThrow(message);
    }),
  );
});
