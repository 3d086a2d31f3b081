/**
 * Runs a frozen model on an IDX file of images, without biphase: digits.mjs MODEL.wasm IMAGES.idx RESULTS [PASSES]
 * Writes the results of all images, one after the other, and prints images per second (of the fastest pass).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';

/** The sizes before the first image of an IDX file: magic number, count, height, width. */
const IDX_HEADER = 16;

const [model, idx, results, passes = '1'] = process.argv.slice(2);
const images = readFileSync(idx).subarray(IDX_HEADER);
const { instance } = await WebAssembly.instantiate(readFileSync(model));
const { memory, abi_version, input, output, input_bytes, output_bytes, max_batch, run } = instance.exports;
if (abi_version() !== 2) throw new Error('this program knows ABI version 2');
// Inputs and outputs have numbers; images are input 0, their scores output 0. Addresses are unsigned; JavaScript gets them as signed numbers of 32 bits.
const [into, out] = [input(0) >>> 0, output(0) >>> 0];
const [sample, result, most] = [input_bytes(0), output_bytes(0), max_batch()];
// A frozen module's memory never grows, so this view stays good.
const bytes = new Uint8Array(memory.buffer);

const total = images.length / sample;
const all = new Uint8Array(total * result);
let fastest = Infinity;
for (let pass = 0; pass < Number(passes); pass++) {
  const begin = performance.now();
  for (let at = 0; at < total; at += most) {
    const count = Math.min(most, total - at);
    bytes.set(images.subarray(at * sample, (at + count) * sample), into);
    const error = run(count);
    if (error !== 0) throw new Error(`run(${count}) gave error ${error}`);
    all.set(bytes.subarray(out, out + count * result), at * result);
  }
  fastest = Math.min(fastest, (performance.now() - begin) / 1000);
}
writeFileSync(results, all);
console.log(Math.round(total / fastest));
