import { expect, it } from 'vitest';
import * as nn from '../../src/nn/index.ts';
import * as optim from '../../src/optim/index.ts';
import { trainPlan } from '../../src/plans/train.ts';
import { predict } from '../../src/scheduler/choose/predict.ts';
import type { Rates } from '../../src/scheduler/choose/rates.ts';

const rate = (perMs: number) => ({ at: [1], perMs: [perMs] });
/** Products of one row or one term take all the time there is; nothing else takes any. */
const rates: Rates = {
  ...{ runMs: 0, stepMs: 0, functions: 1e30, updates: 1e30, transfer: 1e30, bytes: rate(1e30) },
  ...{ f32: rate(1e30), i8: rate(1e30), f32Vector: rate(1), i8Vector: rate(1) },
};

it('takes every product of a training on one sample for one of a vector, the gradients of weights too', () => {
  const model = nn.sequential(nn.linear(8, 16), nn.relu(), nn.linear(16, 4));
  const { plan } = trainPlan(model, { dtype: 'f32', shape: [8] }, 1, {
    ...{ loss: nn.crossEntropy, optimizer: optim.sgd() },
  });
  const products = plan.steps.filter((s) => s.op === 'matmul' || s.op === 'linear_backward');
  expect(products.filter((s) => s.op === 'linear_backward')).toHaveLength(2);
  const flops = products.reduce((sum, s) => sum + s.cost.flops, 0);
  expect(predict(plan, rates).parts.products).toBeCloseTo(flops, 6);
});
