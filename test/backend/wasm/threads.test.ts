import { describe, expect, it } from 'vitest';
import { casesOf } from '../../../conformance/index.ts';
import { planOfCase } from '../../../conformance/judge/run-case.ts';
import { instantiate } from '../../../src/backend/wasm/load.ts';
import { type OpName, opNames } from '../../../src/ops/index.ts';
import { runStep } from './run-step.ts';

const tiles = { f32Tile: [5, 8], i8Tile: [4, 8], i8Kind: 0 } as const;
const instance = await instantiate({ build: 'simd128', pages: 1024 });

describe('any number of threads computes the same bits', () => {
  for (const op of opNames.filter((name) => name !== 'reshape'))
    it(op, () => {
      const list = casesOf(op as OpName);
      for (const c of list.filter((_, i) => i % 3 === 0 || list.length < 30)) {
        const { plan, data } = planOfCase(op, c);
        const alone = runStep(instance, plan, data, { ...tiles, threads: 1 });
        for (const threads of [2, 3, 5])
          expect(runStep(instance, plan, data, { ...tiles, threads }), JSON.stringify(c)).toEqual(alone);
      }
    });
});
