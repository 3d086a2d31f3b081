import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Case, cases } from '../../conformance/cases.ts';
import { centralDifferenceError, gradientCase, gradientsOn } from '../../conformance/gradient.ts';
import type { Backend } from '../../src/backend/backend.ts';
import { sizeOf } from '../../src/core/shape.ts';
import { type OpName, opNames, opOf } from '../../src/ops/index.ts';
import { backends, reference } from '../support/backends.ts';

/** Inputs that have no gradient by definition. */
const withoutGradient: Partial<Record<OpName, number[]>> = { bce_with_logits: [1] };

const differentiable = opNames.filter((name) => opOf(name).gradient && name !== 'fill' && name !== 'cast');
const casesOf = (name: OpName) =>
  (cases[name] as readonly Case[]).filter(
    (c) => !c.noGradient && c.inputs[0].dtype === 'f32' && c.inputs.every((t) => sizeOf(t.shape) <= 4200),
  );
const caseOf = (name: OpName, c: Case) => gradientCase(name, c, withoutGradient[name] ?? []);

describe('gradients against central differences in f64', () => {
  for (const name of differentiable)
    it(name, async () => {
      const worst = await Promise.all(casesOf(name).map((c) => centralDifferenceError(caseOf(name, c))));
      expect(worst.length).toBeGreaterThan(0);
      expect(Math.max(...worst)).toBeLessThan(1e-5);
    });
});

for (const { name: backendName, create, absent } of backends) {
  describe.skipIf(absent)(`gradients on ${backendName} against the reference`, () => {
    let backend: Backend;
    beforeAll(async () => {
      backend = await create();
    });
    afterAll(() => backend?.dispose());
    for (const name of differentiable)
      it(name, async () => {
        for (const c of casesOf(name).filter((_, i) => i % 3 === 0)) {
          const gradient = caseOf(name, c);
          const want = await gradientsOn(reference(), gradient);
          const got = await gradientsOn(backend, gradient);
          want.forEach((w, k) => {
            const scale = Math.max(1, ...Float64Array.from(w, Math.abs));
            const worst = Math.max(0, ...Float64Array.from(w, (v, i) => Math.abs(v - got[k][i])));
            expect(worst / scale, JSON.stringify(c)).toBeLessThan(2e-5);
          });
        }
      });
  });
}
