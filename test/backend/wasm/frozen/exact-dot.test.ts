/**
 * The way through the relaxed dot, in hosts whose own is not exact, or not there: the instruction is replaced in the
 * frozen file by a function that does what it does on processors with VNNI.
 */
import binaryen from 'binaryen';
import { beforeAll, describe, expect, it } from 'vitest';
import { createEngine, exportWasm, nn, type QuantizedModel } from '../../../../src/index.ts';
import { type FrozenExports, instantiateFrozen, randomSamples, untrained } from '../../../support/frozen.ts';

/** sum + four products of signed w and unsigned x in each lane. */
const exactDot = `
  (func $dot (param $w v128) (param $x v128) (param $sum v128) (result v128)
    (local $low v128) (local $high v128)
    (local.set $low (i32x4.dot_i16x8_s
      (i16x8.extend_low_i8x16_s (local.get $w)) (i16x8.extend_low_i8x16_u (local.get $x))))
    (local.set $high (i32x4.dot_i16x8_s
      (i16x8.extend_high_i8x16_s (local.get $w)) (i16x8.extend_high_i8x16_u (local.get $x))))
    (i32x4.add (local.get $sum) (i32x4.add
      (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27 (local.get $low) (local.get $high))
      (i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31 (local.get $low) (local.get $high)))))`;

/** As processors without VNNI do it: sums of two products saturate at 16 bits. */
const saturatingDot = exactDot
  .replaceAll(
    /\(i32x4.dot_i16x8_s\s+(\(i16x8.extend_\w+ \(local.get \$w\)\)) (\(i16x8.extend_\w+ \(local.get \$x\)\))\)/g,
    '(call $saturating $1 $2)',
  )
  .concat(`
  (func $saturating (param $a v128) (param $b v128) (result v128)
    (i32x4.min_s (v128.const i32x4 32767 32767 32767 32767)
      (i32x4.max_s (v128.const i32x4 -32768 -32768 -32768 -32768)
        (i32x4.dot_i16x8_s (local.get $a) (local.get $b)))))`);

function withDot(file: Uint8Array, dot: string): Uint8Array<ArrayBuffer> {
  const module = binaryen.readBinary(file);
  const text = module.emitText();
  module.dispose();
  expect(text).toContain('i32x4.relaxed_dot_i8x16_i7x16_add_s');
  const replaced = text
    .replaceAll('(i32x4.relaxed_dot_i8x16_i7x16_add_s', '(call $dot')
    .replace('(module', `(module ${dot}`);
  const changed = binaryen.parseText(replaced);
  changed.setFeatures(binaryen.Features.All);
  expect(changed.validate()).toBe(1);
  const bytes = Uint8Array.from(changed.emitBinary());
  changed.dispose();
  return bytes;
}

describe('a frozen relaxed file', () => {
  let int8: QuantizedModel;
  let file: Uint8Array;
  let want: Uint8Array;
  const samples = randomSamples(75 * 24, 3);
  beforeAll(async () => {
    using engine = await createEngine({ backend: 'reference' });
    const model = nn.sequential(nn.linear(75, 37), nn.silu(), nn.linear(37, 19), nn.relu(), nn.linear(19, 5));
    int8 = await engine.quantize(untrained(model, [75]), { calibration: samples });
    want = await (await engine.infer(int8, { batchSize: 24 })).quantized(samples);
    file = await exportWasm(int8, { maxBatch: 24, relaxed: true });
  });

  const resultsOf = (e: FrozenExports, count: number) => {
    new Float32Array(e.memory.buffer, e.input(), 75 * count).set(samples.subarray(0, 75 * count));
    expect(e.run(count)).toBe(0);
    return new Uint8Array(e.memory.buffer, e.output(), 5 * count).slice();
  };

  it.each([
    ['an exact dot is used', exactDot, 1],
    ['a dot that saturates is found out', saturatingDot, 0],
  ])('%s, and the bytes are the same', async (_, dot, used) => {
    const e = await instantiateFrozen(withDot(file, dot));
    expect(e.query(-1, 0)).toBe(used);
    for (const count of [1, 2, 5, 6, 7, 23, 24])
      expect(resultsOf(e, count)).toEqual(want.slice(0, 5 * count));
    expect(e.verify()).toBe(0);
  });
});
