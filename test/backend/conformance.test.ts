import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { opNames } from '../../src/ops/index.ts';
import { type Case, cases } from '../cases.ts';
import { backends, reference } from '../support/backends.ts';
import { compare } from '../support/bounds.ts';
import { make } from '../support/fill.ts';
import { runCase } from '../support/run-case.ts';

/** Every op, on every backend, over every case, against the reference; and nothing else in memory touched. */
for (const { name, create, absent } of backends) {
  describe.skipIf(absent)(`${name} agrees with the reference`, () => {
    const oracle = reference();
    let backend: Backend;
    beforeAll(async () => {
      backend = await create();
    });
    afterAll(() => backend?.dispose());

    for (const op of opNames)
      it(op, async () => {
        const problems: string[] = [];
        for (const c of cases[op] as readonly Case[]) {
          const [want, got] = [await runCase(oracle, op, c), await runCase(backend, op, c)];
          const inputs = c.inputs.map((spec, i) => ({ ...spec, data: make(spec, 100 + i) }));
          const wrong = want.outputs.flatMap((w, i) => compare(op, inputs, c.attrs, w, got.outputs[i]));
          const stray = got.strayWrites.map((s) => `stray write: ${s}`);
          const changed = got.changedInputs.map((i) => `input ${i} changed`);
          const all = [...wrong, ...stray, ...changed];
          if (all.length) problems.push(`${describeCase(c)}\n    ${all.join('\n    ')}`);
        }
        expect(problems.slice(0, 5).join('\n'), `${problems.length} of ${cases[op].length} cases`).toBe('');
      });
  });
}

const describeCase = ({ inputs, attrs, constants }: Case): string =>
  `${inputs.map((t) => `${t.dtype}[${t.shape}]`).join(' ')} ${JSON.stringify(attrs)} constants ${JSON.stringify(constants ?? [])}`;
