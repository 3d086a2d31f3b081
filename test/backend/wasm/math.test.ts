import { describe, expect, it } from 'vitest';
import { createWasmBackend } from '../../../src/backend/wasm/backend.ts';
import { buildPlan } from '../../../src/graph/build-plan.ts';
import { Tracer } from '../../../src/graph/trace.ts';
import { activations } from '../../../src/ops/activation.ts';
import { missing } from '../../support/parts.ts';

/** Every 1/8192 over the range where functions bend, and powers of two beyond it. */
const sweep = Float32Array.from([
  ...Array.from({ length: 32 * 8192 }, (_, i) => -16 + i / 8192),
  ...Array.from({ length: 120 }, (_, i) => 2 ** (i - 100)),
  ...Array.from({ length: 120 }, (_, i) => -(2 ** (i - 100))),
]);

async function evaluate(
  build: 'simd128' | 'relaxed',
  op: keyof typeof activations,
  attrs: object,
): Promise<Float32Array> {
  const backend = await createWasmBackend({ build });
  const tracer = new Tracer({ training: false });
  const x = tracer.input('x', { dtype: 'f32', shape: [sweep.length] });
  tracer.output('y', tracer.apply(op, [x], attrs));
  const plan = buildPlan(tracer.graph, { name: op });
  const program = await backend.compile(plan);
  program.write(plan.slots.x, sweep);
  program.run();
  const y = (await program.read(plan.slots.y)) as Float32Array;
  backend.dispose();
  return y;
}

/** The largest error in units in the last place of the true value, where it is not below `floor`; and below it, absolute. */
function errors(y: Float32Array, f: (x: number) => number, floor: number): { ulps: number; small: number } {
  let [ulps, small] = [0, 0];
  sweep.forEach((x, i) => {
    const want = f(x);
    const ulp = 2 ** (Math.floor(Math.log2(Math.abs(want) || 1)) - 23);
    if (Math.abs(want) >= floor) ulps = Math.max(ulps, Math.abs(y[i] - want) / ulp);
    else small = Math.max(small, Math.abs(y[i] - want));
  });
  return { ulps, small };
}

/** What docs/NUMERICS.md promises: units in the last place, and the absolute error of results below the floor. */
const promised: [op: keyof typeof activations, attrs: object, ulps: number, floor: number, small: number][] =
  [
    ['sigmoid', {}, 4, 2 ** -125, 2 ** -125],
    ['tanh', {}, 7, 2 ** -125, 2 ** -125],
    ['silu', {}, 5, 2 ** -120, 2 ** -120],
    ['softplus', {}, 4, 2 ** -120, 2 ** -120],
    ['gelu', { approximate: 'none' }, 20, 0.1, 1.5e-6],
    ['gelu', { approximate: 'tanh' }, 20, 0.1, 2e-6],
    ['hardswish', {}, 4, 0.1, 2e-7],
  ];

for (const build of ['simd128', 'relaxed'] as const)
  describe.skipIf(build === 'relaxed' && (await missing('relaxed')))(`error bounds, ${build}`, () => {
    it.each(promised)(
      '%s %j: within %d ulp above %d, or %d absolute',
      async (op, attrs, ulps, floor, small) => {
        const { f } = activations[op] as { f: (x: number, attrs: object) => number };
        const worst = errors(await evaluate(build, op, attrs), (x) => f(x, attrs), floor);
        expect(worst.ulps).toBeLessThan(ulps);
        expect(worst.small).toBeLessThan(small);
      },
    );
  });
