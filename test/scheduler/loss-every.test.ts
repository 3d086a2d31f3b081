import { describe, expect, it } from 'vitest';
import { type BackendName, createEngine, data, nn, optim, Random, type StepReport } from '../../src/index.ts';
import { missing } from '../support/parts.ts';

const random = new Random(3);
const set = data.fromArrays({
  input: Float32Array.from({ length: 40 * 6 }, () => random.uniform()),
  inputShape: [6],
  target: Int32Array.from({ length: 40 }, () => random.int(3)),
});
const noGpu = await missing('webgpu');

describe.each(['reference', 'wasm', 'webgpu'] as BackendName[])('lossEvery on %s', (backend) => {
  async function losses(lossEvery?: number): Promise<{ reports: StepReport[]; reads: number }> {
    const engine = await createEngine({ backend });
    const options = { loss: nn.crossEntropy, optimizer: optim.adam({ lr: 0.05 }), seed: 2 };
    const training = await engine.train(nn.sequential(nn.linear(6, 8), nn.relu(), nn.linear(8, 3)), options);
    let reads = 0;
    const { compile } = engine.backend;
    engine.backend.compile = async (plan) => {
      const program = await compile.call(engine.backend, plan);
      const { read } = program;
      program.read = (...args) => {
        if (args[0].name === 'loss') reads++;
        return read.apply(program, args);
      };
      return program;
    };
    const reports: StepReport[] = [];
    for await (const r of training.fit(set, { batchSize: 4, epochs: 2, lossEvery })) reports.push(r);
    engine.dispose();
    return { reports, reads };
  }

  it.skipIf(backend === 'webgpu' && noGpu)(
    'gives the same losses, every so many steps and at the end',
    async () => {
      const all = await losses();
      expect([all.reports.length, all.reads]).toEqual([20, 20]);
      const some = await losses(8);
      expect(some.reads).toBe(3);
      expect(some.reports.map((r) => [r.step, r.done, r.epoch])).toEqual([
        [8, 8, 1],
        [16, 16, 2],
        [20, 20, 2],
      ]);
      expect(some.reports.map((r) => r.loss)).toEqual([8, 16, 20].map((step) => all.reports[step - 1].loss));
    },
  );

  it.skipIf(backend === 'webgpu' && noGpu)(
    'can be left in the middle, and refuses what is no count',
    async () => {
      const engine = await createEngine({ backend });
      const training = await engine.train(nn.linear(6, 3), { loss: nn.crossEntropy, optimizer: optim.sgd() });
      for await (const r of training.fit(set, { batchSize: 4, lossEvery: 2 })) {
        expect(r.step).toBe(2);
        break;
      }
      await expect(training.fit(set, { batchSize: 4, lossEvery: 0 }).next()).rejects.toMatchObject({
        code: 'invalid_argument',
      });
      expect((await training.freeze()).parameters.length).toBeGreaterThan(0);
      engine.dispose();
    },
  );
});
