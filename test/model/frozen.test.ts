import { describe, expect, it } from 'vitest';
import { nn } from '../../src/index.ts';
import { lendValues } from '../../src/model/frozen.ts';
import { inferPlan } from '../../src/plans/infer.ts';
import { quantizedPlan } from '../../src/quantize/quantize.ts';
import { untrained } from '../support/frozen.ts';
import { FEATURES, int8Model, samples, wasmEngine } from '../support/serving.ts';

describe("a frozen model's weights", () => {
  it('are one array for all plans, and out of reach of who is shown one', async () => {
    const frozen = untrained(nn.linear(FEATURES, 3), [FEATURES]);
    const [{ variable: parameter }] = frozen.variables;
    const weights = lendValues(frozen, parameter);
    for (const rows of [1, 2, 64])
      expect(inferPlan(frozen, rows).constants.map((c) => c.data)).toContain(weights);
    expect(frozen.values(parameter)).not.toBe(weights);
    const engine = await wasmEngine();
    const x = samples(2, 1);
    const infer = await engine.infer(frozen);
    const want = await infer(x);
    frozen.values(parameter).fill(0);
    for (const { data } of infer.plan.constants) data.fill(0);
    frozen.stateDict()[frozen.variables[0].name].data.fill(0);
    expect(await (await engine.infer(frozen))(x)).toEqual(want);
    engine.dispose();
  });

  it('are quantized once for all plans with the same ranges', async () => {
    const model = await int8Model();
    const large = (rows: number) =>
      quantizedPlan(model, rows).constants.flatMap(({ dtype, data }) => (dtype === 'i8' ? [data] : []));
    const once = large(1);
    expect(once).toHaveLength(2);
    for (const rows of [2, 7]) large(rows).forEach((data, i) => void expect(data).toBe(once[i]));
    const other = { ...model, ranges: new Map([...model.ranges].map(([k, r]) => [k, { ...r, max: 9 }])) };
    const anew = quantizedPlan(other, 1).constants.map((c) => c.data);
    expect(anew).not.toContain(once[0]);
    expect(large(1)[0]).toEqual(once[0]);
  });
});
