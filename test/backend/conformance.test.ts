import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { casesOf } from '../../conformance/index.ts';
import { problemsOf } from '../../conformance/judge/conform.ts';
import type { Backend } from '../../src/backend/backend.ts';
import { opNames } from '../../src/ops/index.ts';
import { backends } from '../support/backends.ts';

/** Every op, on every backend, over every case, against the reference; and nothing else in memory touched. */
for (const { name, create, absent } of backends) {
  describe.skipIf(absent)(`${name} agrees with the reference`, () => {
    let backend: Backend;
    beforeAll(async () => {
      backend = await create();
    });
    afterAll(() => backend?.dispose());

    for (const op of opNames)
      it(op, async () => {
        const problems = await problemsOf(backend, op);
        expect(problems.slice(0, 5).join('\n'), `${problems.length} of ${casesOf(op).length} cases`).toBe('');
      });
  });
}
