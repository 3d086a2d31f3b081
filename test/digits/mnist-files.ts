import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Digits, loadMnist, SIDE } from '../../tools/digits/mnist.ts';

/** Bytes of an IDX file of u8. */
export function idx(shape: number[], data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * shape.length + data.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0, 0, 8, shape.length]);
  for (const [i, size] of shape.entries()) view.setUint32(4 + 4 * i, size);
  bytes.set(data, 4 + 4 * shape.length);
  return bytes;
}

export type Files = Record<string, Uint8Array>;

const filesOf = (set: string, { images, labels }: Digits, count: number): Files => ({
  [`${set}-images-idx3-ubyte`]: idx([count, SIDE, SIDE], images.subarray(0, count * SIDE * SIDE)),
  [`${set}-labels-idx1-ubyte`]: idx([count], labels.subarray(0, count)),
});

/** The first real digits, as the four files. */
export function firstDigits(train: number, test: number): Files {
  const all = loadMnist();
  return { ...filesOf('train', all.train, train), ...filesOf('t10k', all.test, test) };
}

/** A folder with these files, for as long as `use` takes. */
export async function withFolder<T>(files: Files, use: (folder: string) => T | Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'biphase-digits-'));
  try {
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
