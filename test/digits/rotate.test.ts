import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Digits, PIXELS, SIDE } from '../../tools/digits/mnist.ts';
import { rotate } from '../../tools/digits/rotate.ts';

const digit = (images: Uint8Array): Digits => ({ count: 1, images, labels: Uint8Array.of(3) });
const turned = (images: Uint8Array, degrees: number) => rotate(digit(images), degrees, 1).images;
const dot = (x: number, y: number) => {
  const images = new Uint8Array(PIXELS);
  images[y * SIDE + x] = 200;
  return images;
};
const images = fc.uint8Array({ minLength: PIXELS, maxLength: PIXELS });

describe('rotate', () => {
  it('leaves an image alone at 0 degrees, and after four quarter turns', () => {
    fc.assert(
      fc.property(images, (image) => {
        expect(turned(image, 0)).toEqual(image);
        let full: Uint8Array = image;
        for (let quarter = 0; quarter < 4; quarter++) full = turned(full, 90);
        expect(full).toEqual(image);
      }),
      { numRuns: 20 },
    );
  });

  it('turns counter-clockwise: what is on the right comes to the top', () => {
    expect(turned(dot(27, 10), 90)).toEqual(dot(10, 0));
  });

  it('keeps the ink of what stays inside, but for rounding', () => {
    const blob = new Uint8Array(PIXELS);
    for (let y = 9; y < 19; y++) blob.fill(180, y * SIDE + 9, y * SIDE + 19);
    const ink = (image: Uint8Array) => image.reduce((a, b) => a + b, 0);
    expect(Math.abs(ink(turned(blob, 25)) / ink(blob) - 1)).toBeLessThan(0.02);
  });

  it('is the same every time, and leaves its source alone', () => {
    const source = dot(5, 20);
    expect(turned(source, 25)).toEqual(turned(source, 25));
    expect(source).toEqual(dot(5, 20));
  });

  it('takes as many as were asked for, or as many as there are', () => {
    const two = { count: 2, images: new Uint8Array(2 * PIXELS), labels: Uint8Array.of(1, 2) };
    expect(rotate(two, 25, 1)).toMatchObject({ count: 1, labels: Uint8Array.of(1) });
    const all = rotate(two, 25, 5);
    expect(all.count).toBe(2);
    expect(all.images.length).toBe(2 * PIXELS);
  });
});
