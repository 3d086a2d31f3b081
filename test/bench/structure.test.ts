import { describe, expect, it } from 'vitest';
import { int8Pass, showStructure, structureOf, trainingStep } from '../../bench/programs/structure.ts';

const widths = [784, 1024, 1024, 10];

describe('what a step is on WebGPU', () => {
  it.each([128, 1024])(
    'a training step of 784-1024-1024-10 at batch %i: one submit, at most 20 dispatches',
    (batch) => {
      for (const software of [false, true]) {
        const s = structureOf(trainingStep(batch, ...widths), 'train', { software, packedDot: true });
        expect(s.submits).toBe(1);
        expect(s.dispatches).toBeLessThanOrEqual(20);
        // One optimizer dispatch for all six tensors.
        expect(s.rows.filter((r) => r.section === 'update').map((r) => r.dispatches)).toEqual([1]);
      }
    },
  );

  it('an int8 pass packs its weights before, not in, the pass', async () => {
    const s = structureOf(await int8Pass(64, ...widths), 'int8');
    // Each product is one dispatch; the last has rows of 10 bytes, which a second one puts together.
    expect(s.rows.filter((r) => r.kernel === 'matmul_i8').map((r) => r.dispatches)).toEqual([1, 1, 2]);
    expect(s.dispatches).toBe(6);
  });

  it('counts operations and bytes as the plan does, and prints them', () => {
    const plan = trainingStep(8, 16, 8, 4);
    const s = structureOf(plan, 'small');
    expect(s.flops).toBe(plan.steps.reduce((sum, step) => sum + step.cost.flops, 0));
    expect(s.moved).toBe(plan.steps.reduce((sum, step) => sum + step.cost.bytes, 0));
    expect(s.allocated).toBeGreaterThanOrEqual(plan.arenaBytes);
    expect(showStructure(s)).toMatch(/^small: \d+ dispatches, 1 submit; .*\n\n\| section/);
  });
});
