import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { ReferenceBackend } from '../../src/backend/reference/backend.ts';
import { createWasmBackend } from '../../src/backend/wasm/backend.ts';
import { fail } from '../../src/core/errors.ts';
import { nn, optim } from '../../src/index.ts';
import type { FrozenModel } from '../../src/model/frozen.ts';
import { inferPlan } from '../../src/plans/infer.ts';
import type { Choice, Provider } from '../../src/scheduler/choose/choose.ts';
import { Engine } from '../../src/scheduler/engine.ts';
import { type Speeds, simulatedMs, simulated as simulatedOn } from '../../tools/simulated/backend.ts';
import { type VirtualClock, virtualClock } from '../../tools/simulated/clock.ts';
import { int8Model, referenceEngine, samples, wasmEngine } from '../support/serving.ts';

const cpu: Speeds = { runMs: 0.005, stepMs: 0.001, flopsPerMs: 2e7, bytesPerMs: 1e7 };
const gpu: Speeds = { runMs: 0.5, stepMs: 0.01, flopsPerMs: 1e9, bytesPerMs: 1e8 };

/** As most machines have it. */
const gone: Provider = {
  ...{ name: 'webgpu', probe: async () => ({ available: false, reason: 'no adapter' }) },
  create: () => Promise.reject(new Error('no adapter')),
};

async function engineOf(providers: Provider[], free = true): Promise<Engine> {
  const choice: Choice = { provider: providers[0], providers, free, findings: [] };
  return new Engine(await providers[0].create(), choice);
}
const square = (width: number) => nn.sequential(nn.linear(width, width), nn.relu(), nn.linear(width, width));
const options = (width: number) => ({ loss: nn.mse, optimizer: optim.sgd(), input: [width], seed: 1 });

async function frozen(width: number): Promise<FrozenModel> {
  return (await referenceEngine().train(square(width), options(width))).freeze();
}

let clock: VirtualClock;
beforeEach(() => {
  clock = virtualClock();
});
afterEach(() => clock.restore());
const simulated = (name: Provider['name'], speeds: Speeds, software = false) =>
  simulatedOn(name, speeds, clock, software);

describe('choosing where a plan runs, with simulated backends of known speeds', () => {
  it.each([
    [32, 1, 'wasm'],
    [256, 4, 'wasm'],
    [512, 256, 'webgpu'],
    [1024, 128, 'webgpu'],
  ])('width %i, batch %i: %s', async (width, batch, want) => {
    const engine = await engineOf([simulated('wasm', cpu), simulated('webgpu', gpu)]);
    const model = await frozen(width);
    const plan = inferPlan(model, batch);
    const explained = await engine.explain(plan);
    const chosen = explained.backends.filter((b) => b.chosen);
    expect(chosen.map((b) => b.backend)).toEqual([want]);
    for (const { backend, measuredMs, predicted, bound } of explained.backends) {
      const s = backend === 'wasm' ? cpu : gpu;
      const wait = s.runMs + (4 * batch * width) / s.bytesPerMs;
      expect(measuredMs).toBeCloseTo(wait + simulatedMs(plan, s), 6);
      if (simulatedMs(plan, s) < 0.9 * wait) expect(bound).toBe('launch');
      if (simulatedMs(plan, s) > 1.2 * wait) expect(bound).toBe(batch >= 128 ? 'products' : 'memory');
      expect(predicted).toEqual({ ms: measuredMs, bound });
    }
    const training = await engine.train(square(width), options(width));
    await training.stepOn(new Float32Array(batch * width), new Float32Array(batch * width), batch);
    expect(training.backend.name).toBe(want);
    engine.dispose();
  });

  it('small plans look for no GPU at all', async () => {
    const there = simulated('webgpu', gpu);
    const engine = await engineOf([simulated('wasm', cpu), there]);
    const infer = await engine.infer(await frozen(32), { batchSize: 1 });
    await infer(new Float32Array(32));
    expect(there.made).toBe(0);
    engine.dispose();
  });

  it('a plan is tried once on each backend; made anew from the same model it is the same plan', async () => {
    const [wasm, webgpu] = [simulated('wasm', cpu), simulated('webgpu', gpu)];
    const engine = await engineOf([wasm, webgpu]);
    const model = await frozen(512);
    // At once, and later.
    await Promise.all([1, 2].map(() => engine.infer(model, { batchSize: 256 })));
    const again = await engine.infer(model, { batchSize: 256 });
    expect(webgpu.compiled).toEqual([...Array(4).fill(again.plan.name)]);
    expect(wasm.compiled).toEqual([again.plan.name]);
    await engine.explain(inferPlan(model, 256));
    expect([wasm.compiled.length, webgpu.compiled.length]).toEqual([1, 4]);
    await engine.infer(model, { batchSize: 255 });
    expect([wasm.compiled.length, webgpu.compiled.length]).toEqual([2, 6]);
    engine.dispose();
  });

  it('measures nothing where there is nothing to choose from', async () => {
    for (const others of [[], [simulated('webgpu', gpu, true)], [gone]]) {
      const wasm = simulated('wasm', cpu);
      const engine = await engineOf([wasm, ...others]);
      await engine.infer(await frozen(512), { batchSize: 256 });
      expect(wasm.compiled).toHaveLength(1);
      engine.dispose();
    }
    const asked = simulated('wasm', cpu);
    const engine = await engineOf([asked, simulated('webgpu', gpu)], false);
    await engine.infer(await frozen(512), { batchSize: 256 });
    expect(asked.compiled).toHaveLength(1);
    engine.dispose();
  });

  it('never a software GPU, however fast it says it is; and nothing but what was asked for', async () => {
    const soft = simulated('webgpu', { ...gpu, runMs: 0.001, flopsPerMs: 1e12 }, true);
    const plan = inferPlan(await frozen(512), 256);
    const auto = await engineOf([simulated('wasm', cpu), soft]);
    expect((await auto.explain(plan)).backends).toMatchObject([
      { backend: 'wasm', chosen: true },
      {
        ...{ backend: 'webgpu', chosen: false, measuredMs: undefined, bound: undefined },
        reason: expect.stringMatching(/never chosen by 'auto', a GPU simulated on the CPU/),
      },
    ]);
    expect(soft.made).toBe(0);
    const asked = await engineOf([simulated('wasm', cpu), simulated('webgpu', gpu)], false);
    const { backends } = await asked.explain(plan);
    expect(backends[0]).toMatchObject({ chosen: true, reason: 'chosen: it was asked for' });
    expect(backends[1]).toMatchObject({ chosen: false, reason: 'not chosen: another was asked for' });
    auto.dispose();
    asked.dispose();
  });

  it('a plan that one backend has no kernel for goes to the other, and the table and describe() say why', async () => {
    const model = await frozen(32);
    const plan = inferPlan(model, 1);
    const engine = await engineOf([
      simulated('wasm', { ...cpu, without: 'matmul' }),
      simulated('webgpu', gpu),
    ]);
    const why = /can't run on wasm: .*matmul.*: the test says so/;
    const { backends } = await engine.explain(plan);
    expect(backends).toMatchObject([
      {
        ...{ backend: 'wasm', chosen: false, measuredMs: undefined, predicted: undefined },
        reason: expect.stringMatching(why),
      },
      { backend: 'webgpu', chosen: true },
    ]);
    await engine.infer(model);
    expect(
      engine
        .describe()
        .split('\n')
        .filter((line) => why.test(line)),
    ).toHaveLength(1);
    engine.dispose();
  });

  it('a GPU that fails while it is tried is passed over, with its reason, and tried again for the next', async () => {
    const flaky = simulated('webgpu', gpu);
    const create = flaky.create;
    let full = true;
    flaky.create = async () => {
      const backend = await create();
      const compile = backend.compile.bind(backend);
      backend.compile = (source) => (full ? fail('out_of_memory', 'no room, as planned') : compile(source));
      return backend;
    };
    const engine = await engineOf([simulated('wasm', cpu), flaky]);
    const plan = inferPlan(await frozen(512), 256);
    const { backends } = await engine.explain(plan);
    expect(backends).toMatchObject([
      { chosen: true, reason: 'chosen: nothing is clearly faster' },
      { chosen: false, measuredMs: undefined, reason: 'no room, as planned' },
    ]);
    expect(engine.describe()).toMatch(/webgpu +no room, as planned/);
    full = false;
    expect((await engine.explain(plan)).backends[1]).toMatchObject({ chosen: true });
    engine.dispose();
  });

  it('each batch size trains where it is faster', async () => {
    const engine = await engineOf([simulated('wasm', cpu), simulated('webgpu', { ...gpu, runMs: 5 })]);
    const training = await engine.train(square(512), options(512));
    const [x, y] = [new Float32Array(256 * 512), new Float32Array(256 * 512)];
    await training.stepOn(x, y, 256);
    expect(training.backend.name).toBe('webgpu');
    // The weights move with the plan when a small batch is better off elsewhere.
    await training.stepOn(x.subarray(0, 512), y.subarray(0, 512), 1);
    expect(training.backend.name).toBe('wasm');
    expect(training.step).toBe(2);
    engine.dispose();
  });
});

describe('with backends that compute', () => {
  beforeEach(() => clock.restore());

  it('trying a plan touches neither the state nor the seeds of a training', async () => {
    const slow = (): Provider => ({
      ...{ name: 'wasm', probe: async () => ({ available: true, description: 'slow' }) },
      create: async () => delayed(await createWasmBackend({ threads: 1, build: 'simd128', tiles: 'usual' })),
    });
    const other = (): Provider => ({ ...slow(), name: 'webgpu', create: async () => new ReferenceBackend() });
    const model = () => nn.sequential(nn.linear(12, 10), nn.dropout(0.3), nn.linear(10, 3));
    const train = async (engine: Engine) => {
      const training = await engine.train(model(), {
        ...{ loss: nn.mse, optimizer: optim.adam(), input: [12], seed: 4 },
      });
      for (const size of [4, 4, 2])
        await training.stepOn(samples(size, 1, 12), new Float32Array(3 * size), size);
      const state = Buffer.from(await training.checkpoint()).toString('base64');
      const on = training.backend.name;
      engine.dispose();
      return { state, on };
    };
    const alone = await train(await engineOf([other()]));
    const tried = await train(await engineOf([slow(), other()]));
    // The last batch size was tried on both, and so were the ones before.
    expect(tried).toEqual(alone);
  });

  it('on WebAssembly: what was measured, and what bounds it', async () => {
    const engine = await wasmEngine();
    const model = await int8Model([128, 256, 256, 10]);
    const infer = await engine.infer(model, { batchSize: 64 });
    const explained = await engine.explain(infer.plan);
    expect(explained.backends).toMatchObject([{ backend: 'wasm', chosen: true }]);
    const [{ measuredMs, bound }] = explained.backends;
    expect(measuredMs).toBeGreaterThan(0);
    expect(bound).toMatch(/products|launch/);
    expect(String(explained)).toMatch(/infer int8, batch 64: [\d.]+ MFLOP.*\n.*measured +bound by/);
    expect(String(explained)).toMatch(/\* +wasm +[\d.]+ (us|ms) +(arithmetic|starting and waiting) +chosen/);
    engine.dispose();
  });
});

/** Takes its time, so that another is looked for. */
function delayed(backend: Backend): Backend {
  const compile = backend.compile.bind(backend);
  backend.compile = async (source) => {
    const program = await compile(source);
    const read = program.read.bind(program);
    program.read = async (slot, into) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return read(slot, into);
    };
    return program;
  };
  return backend;
}
