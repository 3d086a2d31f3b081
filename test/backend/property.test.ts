import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compare } from '../../conformance/judge/compare.ts';
import { runCase } from '../../conformance/judge/run-case.ts';
import type { Case } from '../../conformance/kit/case.ts';
import { f32, i8, i32, make, u8 } from '../../conformance/kit/tensor.ts';
import type { Backend } from '../../src/backend/backend.ts';
import type { OpName } from '../../src/ops/index.ts';
import { backends, reference } from '../support/backends.ts';

const size = fc.integer({ min: 0, max: 40 });
const side = fc.integer({ min: 1, max: 6 });

/** Two shapes that broadcast: a common one, with dimensions of either left out or made 1. */
const pair = fc
  .array(fc.record({ n: side, a: fc.boolean(), b: fc.boolean() }), { maxLength: 5 })
  .chain((dims) =>
    fc.record({
      a: fc.integer({ min: 0, max: dims.length }).map((cut) => dims.slice(cut).map((d) => (d.a ? 1 : d.n))),
      b: fc.constant(dims.map((d) => (d.b ? 1 : d.n))),
    }),
  );

/** Random uses of ops whose inputs are shapes above all. */
const uses: Partial<Record<OpName, fc.Arbitrary<Case>>> = {
  add: pair.map(({ a, b }) => ({ inputs: [f32(a), f32(b)], attrs: {} })),
  matmul: fc
    .tuple(size, size, size, fc.boolean(), fc.boolean(), fc.boolean(), fc.integer({ min: 1, max: 3 }))
    .map(([m, k, n, transposeA, transposeB, biased, batch]) => {
      const a = transposeA ? [batch, k, m] : [batch, m, k];
      const b = transposeB ? [n, k] : [k, n];
      return { inputs: [f32(a), f32(b), ...(biased ? [f32([n])] : [])], attrs: { transposeA, transposeB } };
    }),
  sum: fc
    .tuple(fc.array(side, { minLength: 1, maxLength: 5 }), fc.nat(), fc.nat())
    .map(([shape, start, more]) => {
      const first = start % shape.length;
      const axes = Array.from({ length: 1 + (more % (shape.length - first)) }, (_, i) => first + i);
      return { inputs: [f32(shape)], attrs: { axes, keepDims: false } };
    }),
  transpose: fc
    .array(side, { minLength: 1, maxLength: 5 })
    .chain((shape) =>
      fc
        .shuffledSubarray(
          shape.map((_, i) => i),
          { minLength: shape.length },
        )
        .map((perm) => ({ shape, perm })),
    )
    .map(({ shape, perm }) => ({ inputs: [u8(shape)], attrs: { perm } })),
  slice: fc
    .array(fc.tuple(side, fc.nat(), fc.nat(), fc.integer({ min: 1, max: 3 })), { minLength: 1, maxLength: 4 })
    .map((dims) => {
      const starts = dims.map(([n, s]) => s % (n + 1));
      const ends = dims.map(([n, , e], i) => starts[i] + (e % (n - starts[i] + 1)));
      return {
        inputs: [f32(dims.map(([n]) => n))],
        attrs: { starts, ends, steps: dims.map(([, , , step]) => step) },
      };
    }),
  softmax: fc
    .tuple(size, fc.integer({ min: 1, max: 200 }))
    .map(([rows, n]) => ({ inputs: [f32([rows, n])], attrs: {} })),
  matmul_i8: fc
    .tuple(
      size,
      fc.integer({ min: 0, max: 90 }),
      size,
      fc.integer({ min: 17, max: 62 }),
      fc.nat(255),
      fc.boolean(),
    )
    .map(([m, k, n, shift, zeroPoint, constant]) => ({
      inputs: [
        u8([m, k]),
        i8([n, k]),
        i32([n], (_, r) => r.int(2 ** 24) - 2 ** 23),
        i32([n], (_, r) => r.int(2 ** 31)),
      ],
      attrs: { shift, zeroPoint, min: 0, max: 255 },
      constants: constant ? [1, 2, 3] : [],
    })),
  conv_i8: fc
    .record({
      image: fc.tuple(fc.integer({ min: 0, max: 2 }), side, side),
      kernel: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
      stride: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
      dilation: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
      // Room for the largest kernel there is.
      around: fc.tuple(fc.integer({ min: 3, max: 5 }), fc.integer({ min: 3, max: 5 })),
      groups: fc.constantFrom(1, 1, 2, 3, 16, 20, 31),
      taken: fc.constantFrom(1, 1, 2, 3, 4, 8, 17),
      ofGroup: fc.constantFrom(1, 1, 2, 5, 8, 18),
      shift: fc.integer({ min: 30, max: 44 }),
      bytes: fc.tuple(fc.nat(255), fc.nat(255)),
    })
    .map(({ image, kernel, stride, dilation, around, groups, taken, ofGroup, shift, bytes }) => {
      const filters = groups * ofGroup;
      const [zeroPoint, inputZero] = bytes;
      const padding = [around[0], around[1], around[1], around[0]] as const;
      return {
        inputs: [
          u8([...image, groups * taken]),
          i8([filters, ...kernel, taken]),
          i32([filters], (_, r) => r.int(2 ** 14) - 2 ** 13),
          i32([filters], (_, r) => r.int(2 ** 31)),
        ],
        attrs: { stride, padding, dilation, groups, shift, zeroPoint, min: 0, max: 255, inputZero },
        constants: [1, 2, 3],
      };
    }),
};

for (const { name, create, absent } of backends)
  describe.skipIf(absent)(`${name}, random shapes`, () => {
    let backend: Backend;
    beforeAll(async () => {
      backend = await create();
    });
    afterAll(() => backend?.dispose());
    for (const [op, use] of Object.entries(uses) as [OpName, fc.Arbitrary<Case>][])
      it(op, async () => {
        await fc.assert(
          fc.asyncProperty(use, async (c) => {
            const [want, got] = [await runCase(reference(), op, c), await runCase(backend, op, c)];
            const inputs = c.inputs.map((spec, i) => ({ ...spec, data: make(spec, 100 + i) }));
            expect(compare(op, inputs, c.attrs, want.outputs[0], got.outputs[0])).toEqual([]);
            expect([got.strayWrites, got.changedInputs]).toEqual([[], []]);
          }),
          { numRuns: op === 'matmul_i8' ? 150 : op === 'conv_i8' ? 40 : 60 },
        );
      });
  });
