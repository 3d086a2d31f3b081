import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  buildPlan,
  createEngine,
  type Engine,
  type FrozenModel,
  nn,
  ops,
  optim,
  Random,
  type Tensor,
  Tracer,
} from '../../src/index.ts';
import { trainPlan } from '../../src/plans/train.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ backend: 'wasm', threads: 1 });
});
afterAll(() => engine.dispose());

const options = { loss: nn.mse, optimizer: optim.sgd({ lr: 0.1 }), seed: 1 };
const random = new Random(9);
const x = Float32Array.from({ length: 24 }, () => random.normal());
const y = Float32Array.from({ length: 8 }, () => random.normal());
const sum = () => nn.buffer([3], nn.init.constant(1));
const f32 = (...shape: number[]) => ({ dtype: 'f32' as const, shape });

/** Adds up what it sees, and counts; shifts what it gives by the sum before. */
function counting() {
  const children = {
    total: sum(),
    count: nn.buffer([], nn.init.constant(5), { dtype: 'i32' }),
    fc: nn.linear(3, 1),
  };
  return nn.module(children, (x, { total, count, fc }) => {
    const shifted = ops.add(x, ops.copy(total));
    if (ops.training()) {
      ops.assign(total, ops.add(total, ops.sum(x, { axes: 0 })));
      ops.assign(count, ops.cast(ops.add(ops.cast(count, 'f32'), 1), 'i32'));
    }
    return fc.forward(shifted);
  });
}

describe('buffers', () => {
  it('keep what is assigned from step to step, and go into the frozen model with their types', async () => {
    const training = await engine.train(counting(), { ...options, input: [3] });
    const before = (await training.freeze()).stateDict();
    expect(Object.keys(before).sort()).toEqual(['count', 'fc.bias', 'fc.weight', 'total']);
    expect(before.total).toEqual({ shape: [3], data: Float32Array.of(1, 1, 1) });
    expect(before.count).toEqual({ shape: [], data: Int32Array.of(5) });
    for (let i = 0; i < 3; i++) await training.stepOn(x, y, 8);
    const frozen = await training.freeze();
    const { total, count } = frozen.stateDict();
    const want = [0, 1, 2].map((k) => {
      let seen = 0;
      for (let i = k; i < 24; i += 3) seen += x[i];
      return 1 + 3 * seen;
    });
    for (const [i, value] of total.data.entries()) expect(value).toBeCloseTo(want[i], 4);
    expect(count.data).toEqual(Int32Array.of(8));
    // Frozen, the model reads them and changes nothing.
    const infer = await engine.infer(frozen, { batchSize: 1 });
    const once = await infer(x.slice(0, 3));
    expect(await infer(x.slice(0, 3))).toEqual(once);
    expect((await (await engine.train(frozen, options)).freeze()).stateDict()).toEqual(frozen.stateDict());
  });

  it('move to a plan of another batch size, and come back from a checkpoint to the same bits', async () => {
    const run = async (pause: boolean) => {
      let training = await engine.train(counting(), { ...options, input: [3] });
      for (const batch of [8, 4, 8]) {
        await training.stepOn(x.subarray(0, 3 * batch), y.subarray(0, batch), batch);
        if (!pause) continue;
        const file = await training.checkpoint();
        training = await engine.train(counting(), { ...options, input: [3] });
        await training.restore(file);
      }
      return (await training.freeze()).stateDict();
    };
    expect(await run(true)).toEqual(await run(false));
  });

  it("are refused from another model's checkpoint, and of another type", async () => {
    const plain = nn.module({ fc: nn.linear(3, 1) }, (x, { fc }) => fc.forward(x));
    const file = await (await engine.train(plain, { ...options, input: [3] })).checkpoint();
    const training = await engine.train(counting(), { ...options, input: [3] });
    await expect(training.restore(file)).rejects.toThrow(/missing total, count/);
    expect((await training.freeze()).stateDict().count.data).toEqual(Int32Array.of(5));
  });

  it('are read as they are now, and as they were by copies made before', () => {
    const tracer = new Tracer({ training: true });
    const total = sum();
    tracer.bindVariables((v) => tracer.state('total', { dtype: v.dtype, shape: v.shape }));
    const [before, after] = tracer.run(() => {
      const before = ops.copy(total);
      ops.assign(total, ops.add(total, 1));
      return [before, ops.add(total, 0)];
    });
    tracer.output('before', before);
    tracer.output('after', after);
    const plan = buildPlan(tracer.graph, { name: 'assign' });
    const { total: state } = plan.slots;
    expect(state.role).toBe('state');
    expect(plan.steps.filter((s) => s.outputs.some((t) => t.offset === state.offset)).length).toBe(1);
  });

  it('are written by the op itself where nothing has read them', () => {
    const tracer = new Tracer({ training: true });
    const total = sum();
    tracer.bindVariables((v) => tracer.state('total', { dtype: v.dtype, shape: v.shape }));
    const input = tracer.input('input', f32(4, 3));
    tracer.run(() => ops.assign(total, ops.sum(input, { axes: 0 })));
    const plan = buildPlan(tracer.graph, { name: 'assign' });
    expect(plan.steps.map((s) => s.op)).toEqual(['sum']);
    expect(plan.steps[0].outputs[0].offset).toBe(plan.slots.total.offset);
  });

  it('the last of two assignments counts, whichever value was computed first', async () => {
    const total = sum();
    const model = nn.module({ total, fc: nn.linear(3, 1) }, (x, { total, fc }) => {
      const [first, second] = [ops.scale(ops.sum(x, { axes: 0 }), 2), ops.max(x, { axes: 0 })];
      ops.assign(total, second);
      ops.assign(total, first);
      return fc.forward(x);
    });
    const training = await engine.train(model, { ...options, input: [3] });
    await training.stepOn(Float32Array.of(1, 2, 3), Float32Array.of(0), 1);
    // Frozen before inference, in which nothing may be assigned.
    expect((await training.freeze()).stateDict().total.data).toEqual(Float32Array.of(2, 4, 6));
  });

  it('a plan is refused that needs the old value after the new one was written', () => {
    const total = sum();
    const model = nn.module({ total, w: nn.parameter([3], nn.init.constant(2)) }, (x, { total, w }) => {
      const y = ops.mul(ops.mul(x, w), total);
      ops.assign(total, ops.sum(x, { axes: 0 }));
      return y;
    });
    const plan = () => trainPlan(nn.sequential({ scale: model }), f32(3), 4, options);
    expect(plan).toThrow(/layer 'scale' \(mul\) \(backward\) needs 'buffers.scale.total' as it was before/);
  });

  it.each([
    ['another shape', /shape_mismatch/, (t: nn.Buffer, x: Tensor) => ops.assign(t, x)],
    [
      'another type',
      /dtype_mismatch/,
      (t: nn.Buffer, x: Tensor) => ops.assign(t, ops.cast(ops.sum(x, { axes: 0 }), 'i32')),
    ],
  ])('refuse a value of %s', (_, code, assign) => {
    const model = nn.module({ total: sum(), fc: nn.linear(3, 1) }, (x, { total, fc }) => {
      assign(total, x);
      return fc.forward(x);
    });
    let error: unknown;
    try {
      trainPlan(model, f32(3), 4, options);
    } catch (e) {
      error = e;
    }
    expect((error as { code: string }).code).toMatch(code);
  });

  it('refuse to be assigned in inference', async () => {
    const model = nn.module({ total: sum(), fc: nn.linear(3, 1) }, (x, { total, fc }) => {
      ops.assign(total, ops.sum(x, { axes: 0 }));
      return fc.forward(x);
    });
    const frozen = await (await engine.train(model, { ...options, input: [3] })).freeze();
    await expect(engine.infer(frozen)).rejects.toThrow(/a frozen model's buffers stay as they are/);
  });

  it('are named by a training that finds NaN in them', async () => {
    const total = nn.buffer([1], nn.init.constant(3e38));
    const model = nn.module(
      {
        stats: nn.module({ total }, (x: Tensor, { total }) => {
          if (ops.training()) ops.assign(total, ops.mul(total, 2));
          return x;
        }),
        fc: nn.linear(3, 1),
      },
      (x, { stats, fc }) => fc.forward(stats.forward(x)),
    );
    const training = await engine.train(model, { ...options, input: [3], recovery: { everySteps: 1 } });
    const error = await training.stepOn(x, y, 8).catch((e) => e);
    expect(error).toMatchObject({ code: 'not_finite', layer: 'stats' });
  });
});

describe('functions without a tensor', () => {
  it('find the model function that runs: parameters times parameters', async () => {
    const [a, b] = [nn.parameter([4, 2], nn.init.constant(0.5)), nn.parameter([2, 3], nn.init.constant(2))];
    const model = nn.module({ a, b }, (x, { a, b }) => ops.matmul(x, ops.matmul(a, b), { transposeB: true }));
    const training = await engine.train(model, { ...options, input: [3] });
    const infer = await engine.infer(await training.freeze());
    expect(await infer(Float32Array.of(1, 2, 3))).toEqual(Float32Array.of(12, 12, 12, 12));
  });

  it('are refused outside of any, and after it has returned', async () => {
    const p = nn.parameter([2], nn.init.constant(1));
    expect(() => ops.add(p, 1)).toThrow(/outside of a model function/);
    let kept: Tensor | undefined;
    const model = (x: Tensor) => {
      kept = ops.mul(x, p);
      return kept;
    };
    trainPlan(model, f32(2), 1, options);
    expect(() => ops.add(kept!, 1)).toThrow(/has returned/);
    const later: unknown[] = [];
    const slow = (async (x: Tensor) => {
      await Promise.resolve();
      try {
        ops.mul(x, p);
      } catch (error) {
        later.push(error);
      }
      return x;
    }) as unknown as (x: Tensor) => Tensor;
    expect(() => trainPlan(slow, f32(2), 1, options)).toThrow(/promise/);
    await Promise.resolve();
    expect(later).toMatchObject([{ code: 'invalid_argument' }]);
  });
});

describe('a binding of parameters', () => {
  const base = () => nn.sequential({ body: nn.linear(3, 4), act: nn.tanh(), head: nn.linear(4, 1) });
  const steps = async (model: nn.Model | FrozenModel, bind?: Parameters<typeof trainPlan>[3]['bind']) => {
    const training = await engine.train(model, {
      ...options,
      optimizer: optim.adamw({ lr: 0.05 }),
      input: [3],
      bind,
    });
    const losses: number[] = [];
    for (let i = 0; i < 20; i++) losses.push(await training.stepOn(x, y, 8));
    return { training, losses, state: (await training.freeze()).stateDict() };
  };
  const start = async () => (await engine.train(base(), { ...options, input: [3] })).freeze();

  it('keeps a frozen part to the bit while the rest learns', async () => {
    const frozen = await start();
    const { losses, state } = await steps(frozen, (path, w) =>
      path.startsWith('head.') ? w.trained() : w.frozen(),
    );
    expect(losses.at(-1)).toBeLessThan(losses[0]);
    const before = frozen.stateDict();
    for (const name of ['body.weight', 'body.bias']) expect(state[name]).toEqual(before[name]);
    for (const name of ['head.weight', 'head.bias']) expect(state[name]).not.toEqual(before[name]);
    // And as if there were no binding, where all is trained.
    expect((await steps(frozen, (_, w) => w.trained())).state).toEqual((await steps(frozen)).state);
  });

  it('learns a product of small rank beside frozen weights, and serves with their sum', async () => {
    const frozen = await start();
    const shapes: Record<string, [number, number]> = { 'body.weight': [4, 3], 'head.weight': [1, 4] };
    const adapters = new Map(
      Object.entries(shapes).map(([path, [rows, columns]]) => [
        path,
        {
          a: nn.parameter([2, columns], nn.init.normal(0.3), `lora.${path}.a`),
          b: nn.parameter([rows, 2], nn.init.constant(0), `lora.${path}.b`),
        },
      ]),
    );
    const lora: Parameters<typeof trainPlan>[3]['bind'] = (path, w) => {
      const adapter = adapters.get(path);
      return adapter ? ops.add(w.frozen(), ops.matmul(adapter.b, adapter.a)) : w.frozen();
    };
    const { training, losses, state } = await steps(frozen, lora);
    expect(losses.at(-1)).toBeLessThan(0.7 * losses[0]);
    const before = frozen.stateDict();
    expect(Object.keys(state)).toEqual(Object.keys(before));
    expect(state['body.bias']).toEqual(before['body.bias']);
    expect(state['body.weight']).not.toEqual(before['body.weight']);
    // A checkpoint has base and adapters under names of their own, and goes on to the same bits.
    const file = await training.checkpoint();
    expect(new TextDecoder().decode(file)).toContain('lora.body.weight.a');
    const other = await engine.train(frozen, {
      ...options,
      optimizer: optim.adamw({ lr: 0.05 }),
      bind: lora,
    });
    await other.restore(file);
    expect(await other.stepOn(x, y, 8)).toBe(await training.stepOn(x, y, 8));
  });

  it.each([
    ['no tensor', () => undefined as never, /bind gave no tensor for 'body.weight'/],
    [
      'another shape',
      (_: string, w: { frozen(): Tensor }) => ops.sum(w.frozen()),
      /bind gave f32 \[\] for 'body/,
    ],
    ['only frozen ones', (_: string, w: { frozen(): Tensor }) => w.frozen(), /nothing to train/],
  ])('is refused where it gives %s', async (_, bind, message) => {
    const training = await engine.train(base(), { ...options, input: [3], bind });
    await expect(training.stepOn(x, y, 8)).rejects.toThrow(message);
  });
});
