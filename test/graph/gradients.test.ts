import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { casesOf, conformance } from '../../conformance/index.ts';
import { centralDifferenceError, gradientCase, gradientsOn } from '../../conformance/judge/gradient.ts';
import type { Case } from '../../conformance/kit/case.ts';
import type { Backend } from '../../src/backend/backend.ts';
import { sizeOf } from '../../src/core/shape.ts';
import { type OpName, opNames, opOf } from '../../src/ops/index.ts';
import { backends, reference } from '../support/backends.ts';

const differentiable = opNames.filter((name) => opOf(name).gradient && name !== 'fill' && name !== 'cast');
const checkedCases = (name: OpName) =>
  casesOf(name).filter(
    (c) =>
      !c.noGradient &&
      c.inputs.some((t) => t.dtype === 'f32') &&
      c.inputs.every((t) => sizeOf(t.shape) <= 4200),
  );
const caseOf = (name: OpName, c: Case) => gradientCase(name, c, conformance[name].withoutGradient ?? []);

describe('gradients against central differences in f64', () => {
  for (const name of differentiable)
    it(name, async () => {
      const worst = await Promise.all(checkedCases(name).map((c) => centralDifferenceError(caseOf(name, c))));
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
        for (const c of checkedCases(name).filter((_, i) => i % 3 === 0)) {
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
