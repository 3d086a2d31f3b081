import { afterAll, describe, expect, it } from 'vitest';
import { createEngine, nn, ops, optim, type TrainingOptions } from '../../src/index.ts';

const engine = await createEngine({ backend: 'wasm', threads: 1 });
afterAll(() => engine.dispose());

const model = () =>
  nn.sequential({ body: nn.linear(3, 4), act: nn.tanh(), header: nn.linear(4, 4), head: nn.linear(4, 2) });
const xs = Float32Array.from({ length: 15 }, (_, i) => Math.sin(i));
const ys = Float32Array.from({ length: 10 }, (_, i) => Math.cos(i));
const start = (optimizer: optim.Optimizer, more: object = {}) =>
  engine.train(model(), { loss: nn.mse, optimizer, input: [3], seed: 7, ...more });
const after = async (optimizer: optim.Optimizer, steps = 3, more: object = {}) => {
  const training = await start(optimizer, more);
  for (let i = 0; i < steps; i++) await training.stepOn(xs, ys, 5);
  const values = await training.parameters();
  training.dispose();
  return values;
};

describe('groups', () => {
  it('frozen parameters stay to the bit, and no gradient is computed for them', async () => {
    const before = await after(optim.adamw(), 0);
    const groups = [{ match: 'body', frozen: true }];
    const values = await after(optim.adamw({ lr: 0.1, weightDecay: 0.5, groups }));
    for (const name in before)
      if (name.startsWith('body')) expect(values[name]).toEqual(before[name]);
      else expect(values[name]).not.toEqual(before[name]);
    const training = await start(optim.adamw({ groups }));
    await training.stepOn(xs, ys, 5);
    const whole = await start(optim.adamw());
    await whole.stepOn(xs, ys, 5);
    expect(training.plan!.steps.length).toBeLessThan(whole.plan!.steps.length);
    await expect(training.gradient('body.weight')).rejects.toThrow(/'body.weight' has no gradient/);
  });

  it('a layer is meant by its name, not by what begins with it', async () => {
    const before = await after(optim.sgd(), 0);
    for (const match of ['head', 'head.', /^head\./g, (name: string) => name.startsWith('head.')]) {
      const values = await after(
        optim.sgd({
          lr: 0.1,
          groups: [
            { match: 'body', frozen: true },
            { match, lr: 0 },
          ],
        }),
      );
      expect(values['head.weight']).toEqual(before['head.weight']);
      expect(values['header.weight']).not.toEqual(before['header.weight']);
    }
  });

  it('what several entries say holds together, later ones before earlier ones', async () => {
    const lr = 0.1;
    const decay = { weightDecay: 0.2 };
    const merged = await after(
      optim.adamw({
        ...{ lr, ...decay },
        groups: [
          { match: /bias$/, weightDecay: 0 },
          { match: 'head', lr: 0.02 },
          { match: 'header', frozen: true },
          { match: 'header.weight', frozen: false },
        ],
      }),
    );
    const spelled = await after(
      optim.adamw({
        ...{ lr, ...decay },
        groups: [
          { match: 'head.bias', weightDecay: 0, lr: 0.02 },
          { match: 'head.weight', lr: 0.02 },
          { match: 'body.bias', weightDecay: 0 },
          { match: 'header.bias', frozen: true },
        ],
      }),
    );
    expect(merged).toEqual(spelled);
    expect(merged).not.toEqual(await after(optim.adamw({ lr, ...decay })));
  });

  it('options that change nothing change no bit, wherever parameters come to lie', async () => {
    const plain = await after(optim.adamw({ lr: 0.1 }), 5, { clipNorm: 0.1 });
    const grouped = optim.adamw({ lr: 0.1, groups: [{ match: 'head' }, { match: /bias$/, lr: 0.1 }] });
    const values = await after(grouped, 5, { clipNorm: 0.1 });
    for (const name in plain) plain[name].forEach((x, i) => void expect(values[name][i]).toBeCloseTo(x, 6));
  });

  it('rates of their own may be schedules', async () => {
    const schedule = optim.step({ lr: 0.2, stepSize: 1, gamma: 0.5 });
    const training = await start(optim.sgd({ lr: 0, groups: [{ match: 'head.bias', lr: schedule }] }));
    let last = await training.read('head.bias');
    for (const rate of [0.2, 0.1, 0.05]) {
      await training.stepOn(xs, ys, 5);
      const gradient = await training.gradient('head.bias');
      const now = await training.read('head.bias');
      now.forEach((x, i) => void expect(x).toBeCloseTo(last[i] - rate * gradient[i], 6));
      last = now;
    }
  });

  it('checkpoints keep them, go on to the same bits, and refuse others', async () => {
    const groups = [
      { match: /bias$/, weightDecay: 0 },
      { match: 'head', lr: 0.02 },
    ];
    const make = () => optim.adamw({ lr: 0.1, groups });
    const through = await after(make(), 4);
    const first = await start(make());
    for (let i = 0; i < 2; i++) await first.stepOn(xs, ys, 5);
    const file = await first.checkpoint();
    const second = await start(make());
    await second.restore(file);
    for (let i = 0; i < 2; i++) await second.stepOn(xs, ys, 5);
    expect(await second.parameters()).toEqual(through);
    const refused = async (other: optim.Optimizer, message: RegExp, from = file) => {
      const training = await start(other);
      await expect(training.restore(from)).rejects.toMatchObject({
        code: 'invalid_argument',
        message: expect.stringMatching(message),
      });
    };
    await refused(optim.adamw({ lr: 0.1 }), /grouping of parameters was given .* and is none now/);
    await refused(
      optim.adamw({ lr: 0.1, groups: groups.slice(1) }),
      /group of 'body.bias' was number 2, .*"weightDecay":0\}.* and is number 1,/,
    );
    const frozen = [...groups, { match: 'body.bias', frozen: true }];
    await refused(
      optim.adamw({ lr: 0.1, groups: frozen }),
      /group of 'body.bias' was .* and is none: it is frozen now/,
    );
    await refused(make(), /grouping of parameters was none/, await (await start(optim.adamw())).checkpoint());
    // Rates may change.
    const other = await start(optim.adamw({ lr: 0.3, groups: [groups[0], { match: 'head', lr: 0.05 }] }));
    await other.restore(file);
  });

  it('an entry that matches nothing, or says what is not known, is refused', async () => {
    await expect(after(optim.sgd({ groups: [{ match: 'heads', lr: 1 }] }))).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringMatching(/no parameter matches 'heads'.*body\.weight/),
    });
    await expect(after(optim.sgd({ groups: [{ match: /./, frozen: true }] }))).rejects.toThrow(
      /nothing to train/,
    );
    const bad = (group: object) => () => optim.sgd({ groups: [group as never] });
    expect(bad({ match: 'x', learningRate: 1 })).toThrow(
      /unknown option 'learningRate' of a group of sgd; did you mean 'lr'/,
    );
    expect(bad({ lr: 1 })).toThrow(/a group of sgd: match is missing/);
    expect(bad({ match: '' })).toThrow(/match is ''/);
    expect(bad({ match: 'x', nesterov: true })).toThrow(/expected a momentum above 0/);
    expect(() => optim.sgd({ groups: {} as never })).toThrow(/expected an array of groups/);
  });
});

describe('reading by name', () => {
  it('gives parameters, buffers and gradients of the last step, and names near ones for others', async () => {
    const net = nn.sequential({ fc: nn.linear(3, 2), norm: nn.batchNorm1d(2) });
    const training = await engine.train(net, {
      loss: nn.mse,
      optimizer: optim.sgd({ lr: 0.5 }),
      input: [3],
      seed: 1,
    });
    await expect(training.gradients()).rejects.toThrow(/no step was made/);
    const before = await training.read('fc.bias');
    await training.stepOn(xs, ys, 5);
    const gradient = await training.gradient('norm.bias');
    const bias = await training.read('norm.bias');
    bias.forEach((x, i) => void expect(x).toBeCloseTo(-0.5 * gradient[i], 6));
    expect(before.length).toBe(2);
    expect((await training.read('norm.running_mean')).length).toBe(2);
    expect(Object.keys(await training.parameters())).toEqual([
      'fc.weight',
      'fc.bias',
      'norm.weight',
      'norm.bias',
    ]);
    expect(Object.keys(await training.gradients()).sort()).toEqual([
      'fc.bias',
      'fc.weight',
      'norm.bias',
      'norm.weight',
    ]);
    for (const ask of [training.read('fc.wieght'), training.gradient('fc.wieght')])
      await expect(ask).rejects.toMatchObject({
        code: 'invalid_argument',
        message: expect.stringMatching(/no 'fc.wieght'; did you mean 'fc.weight'\? Known: fc\.weight/),
      });
    await expect(training.gradient('norm.running_mean')).rejects.toThrow(/no 'norm.running_mean'/);
    await training.restore(await training.checkpoint());
    await expect(training.gradient('fc.bias')).rejects.toThrow(/was restored/);
  });
});

describe('groups and bindings', () => {
  it('adapters are groups by their names, and a binding that freezes comes first', async () => {
    const adapters = new Map<string, ReturnType<typeof nn.parameter>>();
    const adapter = (path: string, shape: number[]) => {
      if (!adapters.has(path))
        adapters.set(path, nn.parameter(shape, nn.init.normal(0.1), `${path}.adapter`));
      return adapters.get(path)!;
    };
    const bind: TrainingOptions['bind'] = (path, w) =>
      path === 'head.weight' ? ops.add(w.frozen(), adapter(path, [2, 4])) : w.trained();
    const groups = [
      { match: 'head.weight.adapter', lr: 0.5 },
      { match: 'header', frozen: true },
    ];
    const training = await start(optim.sgd({ lr: 0.01, groups }), { bind });
    const before = await training.parameters();
    await training.stepOn(xs, ys, 5);
    const gradients = await training.gradients();
    expect(Object.keys(gradients).sort()).toEqual([
      'body.bias',
      'body.weight',
      'head.bias',
      'head.weight.adapter',
    ]);
    const after = await training.parameters();
    for (const name in before) {
      const rate = name.endsWith('adapter') ? 0.5 : 0.01;
      after[name].forEach(
        (x, i) => void expect(x).toBeCloseTo(before[name][i] - rate * (gradients[name]?.[i] ?? 0), 6),
      );
    }
    expect(Object.keys((await training.freeze()).stateDict())).not.toContain('head.weight.adapter');
  });
});
