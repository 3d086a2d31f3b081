import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { compare } from '../../../conformance/judge/compare.ts';
import { planOfCase } from '../../../conformance/judge/run-case.ts';
import type { Case } from '../../../conformance/kit/case.ts';
import { below } from '../../../conformance/kit/fill.ts';
import { f32, i8, i32, u8 } from '../../../conformance/kit/tensor.ts';
import { instantiate, type WasmBuild, type WasmInstance } from '../../../src/backend/wasm/load.ts';
import { tileShapes as tiles } from '../../../src/backend/wasm/tiles.ts';
import { sizeOf } from '../../../src/core/shape.ts';
import { type OpName, opOf } from '../../../src/ops/index.ts';
import { missing } from '../../support/parts.ts';
import { type Forced, runStep } from './run-step.ts';

const standard: Forced = { f32Tile: [4, 8], i8Tile: [4, 8], i8Kind: 0, threads: 1 };
const THREADS = [1, 2, 3];
const size = fc.integer({ min: 0, max: 45 });
/** Also around the block sizes of the loops over K: 512 for tiles of 8 columns, 256 for those of 16. */
const depth = fc.oneof(size, fc.constantFrom(255, 256, 257, 511, 512, 513, 600));

const floatCase = fc
  .tuple(size, size, depth, fc.boolean(), fc.boolean(), fc.boolean(), fc.boolean())
  .map(([m, n, k, transposeA, transposeB, biased, constant]): Case => {
    const [a, b] = [f32(transposeA ? [k, m] : [m, k]), f32(transposeB ? [n, k] : [k, n])];
    const activation = biased ? { name: 'relu', attrs: {} } : undefined;
    // A constant weight is packed once, when the program is made.
    const constants = constant ? [1] : [];
    return {
      inputs: [a, b, ...(biased ? [f32([n])] : [])],
      attrs: { transposeA, transposeB, activation },
      constants,
    };
  });

/** x below 128: what every engine's relaxed dot takes alike, whatever it does with more. */
const byteCase = fc
  .tuple(size, size, size, fc.integer({ min: 17, max: 62 }), fc.boolean())
  .map(([m, n, k, shift, looked]): Case => {
    const perOutput = i32([n], below(2 ** 31 - 1));
    const inputs = [u8([m, k], below(128)), i8([n, k]), i32([n], below(1e6)), perOutput];
    const attrs = { shift, zeroPoint: 7, min: 3, max: 250 };
    return { inputs: looked ? [...inputs, u8([256])] : inputs, attrs };
  });

for (const build of ['simd128', 'relaxed'] satisfies WasmBuild[])
  describe.skipIf(build === 'relaxed' && (await missing('relaxed')))(`every tile agrees, ${build}`, () => {
    let instance: WasmInstance;
    beforeAll(async () => {
      instance = await instantiate({ build, pages: 256 });
    });

    function agrees(op: OpName, uses: fc.Arbitrary<Case>, forced: Forced): void {
      fc.assert(
        fc.property(uses, (c) => {
          const { plan, data } = planOfCase(op, c);
          const y = plan.slots.y0;
          const values = c.inputs.map((spec, i) => ({ ...spec, data: data[i] }));
          const want = {
            ...y,
            data: op === 'matmul' ? new Float32Array(sizeOf(y.shape)) : new Uint8Array(sizeOf(y.shape)),
          };
          opOf(op).reference(values, [want], c.attrs);
          const [bytes, ...others] = THREADS.map(
            (threads) => runStep(instance, plan, data, { ...forced, threads })[0],
          );
          const got = op === 'matmul' ? new Float32Array(bytes.buffer) : bytes;
          expect(compare(op, values, c.attrs, want.data, got)).toEqual([]);
          for (const other of others) expect(other).toEqual(bytes);
          expect(runStep(instance, plan, data, standard)[0], 'other bits than another tile').toEqual(bytes);
        }),
        { numRuns: 50 },
      );
    }

    it.each(tiles.f32)('f32 %i x %i', (...f32Tile) => agrees('matmul', floatCase, { ...standard, f32Tile }));
    it.each(tiles.i8)('int8 %i x %i by dot_i16x8', (...i8Tile) =>
      agrees('matmul_i8', byteCase, { ...standard, i8Tile }),
    );
    it.skipIf(build === 'simd128').each(tiles.i8)('int8 %i x %i by relaxed dot', (...i8Tile) =>
      agrees('matmul_i8', byteCase, { ...standard, i8Tile, i8Kind: 1 }),
    );
  });
