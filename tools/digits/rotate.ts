import { type Digits, PIXELS, SIDE } from './mnist.ts';

/** One image turned by an angle about its middle, counter-clockwise; between pixels it is interpolated. */
function rotateImage(source: Uint8Array, target: Uint8Array, sin: number, cos: number): void {
  const middle = (SIDE - 1) / 2;
  const at = (x: number, y: number) => (x >= 0 && x < SIDE && y >= 0 && y < SIDE ? source[y * SIDE + x] : 0);
  for (let y = 0; y < SIDE; y++)
    for (let x = 0; x < SIDE; x++) {
      // Where this pixel comes from: the rotation backwards.
      const sx = cos * (x - middle) - sin * (y - middle) + middle;
      const sy = sin * (x - middle) + cos * (y - middle) + middle;
      const [x0, y0] = [Math.floor(sx), Math.floor(sy)];
      const [fx, fy] = [sx - x0, sy - y0];
      const top = at(x0, y0) * (1 - fx) + at(x0 + 1, y0) * fx;
      const bottom = at(x0, y0 + 1) * (1 - fx) + at(x0 + 1, y0 + 1) * fx;
      target[y * SIDE + x] = Math.round(top * (1 - fy) + bottom * fy);
    }
}

/** The first `most` digits (all, where there are fewer), each turned by `degrees`. */
export function rotate({ images, labels, ...all }: Digits, degrees: number, most: number): Digits {
  const count = Math.min(most, all.count);
  const radians = (degrees * Math.PI) / 180;
  const [sin, cos] = [Math.sin(radians), Math.cos(radians)];
  const turned = new Uint8Array(count * PIXELS);
  for (let i = 0; i < count; i++)
    rotateImage(
      images.subarray(i * PIXELS, (i + 1) * PIXELS),
      turned.subarray(i * PIXELS, (i + 1) * PIXELS),
      sin,
      cos,
    );
  return { count, images: turned, labels: labels.slice(0, count) };
}
