import { describe, expect, it } from 'vitest';
import { ReferenceBackend } from '../../src/backend/reference/backend.ts';
import { Random } from '../../src/core/random.ts';
import { sizeOf } from '../../src/core/shape.ts';
import { differentiate } from '../../src/graph/autodiff.ts';
import { buildPlan } from '../../src/graph/build-plan.ts';
import type { Plan } from '../../src/graph/plan.ts';
import { type Tensor, Tracer } from '../../src/graph/trace.ts';
import { ops as f, nn, optim } from '../../src/index.ts';
import { trainPlan } from '../../src/plans/train.ts';

const transposed = ({ steps }: Plan) => steps.filter(({ op }) => op === 'transpose');

describe('transposes', () => {
  it('are gone between convolutions, activations, pooling, residuals and concats, forwards and backwards', () => {
    const convs = [
      nn.conv2d(3, 8, 3, { padding: 1 }),
      nn.conv2d(8, 8, 3, { padding: 1 }),
      nn.conv2d(16, 4, 1),
    ];
    const model = nn.module({ a: convs[0], b: convs[1], c: convs[2] }, (x) => {
      const a = f.relu(convs[0].forward(x as Tensor));
      const b = f.add(f.silu(f.mul(convs[1].forward(a), 0.5)), a);
      return f.maxPool2d(f.relu(convs[2].forward(f.concat([a, b], 1))), 2);
    });
    const { plan } = trainPlan(model, { dtype: 'f32', shape: [3, 8, 8] }, 2, {
      ...{ loss: (y: Tensor) => f.mean(f.mul(y, y)), optimizer: optim.sgd() },
      targets: { target: { dtype: 'f32', shape: [4, 4, 4] } },
    } as never);
    const left = transposed(plan).map(({ section, inputs }) => `${section} ${inputs[0].shape.join('x')}`);
    const weights = /^(forward (8x3x3x3|8x8x3x3|4x16x1x1)|backward (1x1x16x4|3x3x8x8|3x3x3x8))$/;
    expect(left.filter((t) => weights.test(t))).toHaveLength(6);
    // The image as it comes, what is made of it as it leaves for the loss, and the gradient as it comes from there.
    expect(left.filter((t) => !weights.test(t))).toEqual([
      ...['forward 2x3x8x8', 'forward 2x4x4x4', 'loss 2x4x4x4', 'backward 2x4x4x4'],
    ]);
  });

  it('of constants of any size are made once', () => {
    const tracer = new Tracer({ training: false });
    const w = tracer.constant(new Float32Array(300 * 300).fill(1), { dtype: 'f32', shape: [300, 300] });
    const x = tracer.input('x', { dtype: 'f32', shape: [1, 300] });
    tracer.output(
      'y',
      tracer.run(() => f.matmul(x, f.transpose(w))),
    );
    expect(buildPlan(tracer.graph, { name: 'constant' }).steps.map(({ op }) => op)).toEqual(['matmul']);
  });

  it.each(Array.from({ length: 40 }, (_, seed) => [seed]))(
    'of random graph %i change no value',
    async (seed) => {
      const random = new Random(seed);
      const pick = <T>(list: readonly T[]): T => list[random.int(list.length)];
      const tracer = new Tracer({ training: true });
      const inputs = ['a', 'b'].map((name) => tracer.state(name, { dtype: 'f32', shape: [2, 3, 4, 5] }));
      const bias = tracer.state('bias', { dtype: 'f32', shape: [3, 1, 1] });
      const pool: Tensor[] = [...inputs];
      tracer.run(() => {
        for (let i = 0; i < 12; i++) {
          const x = pick(pool);
          const alike = pick(pool.filter(({ shape }) => shape.join() === x.shape.join()));
          const perm = [0, 1, 2, 3].sort(() => random.uniform() - 0.5);
          const choices = [
            () => f.transpose(x, perm),
            () => f.transpose(x, perm),
            () => f.relu(x),
            () => f.add(f.tanh(x), alike),
            () => f.mul(x, 0.5),
            () => (x.shape[1] === 3 ? f.add(x, bias) : f.sub(alike, x)),
            () => f.slice(f.concat([x, alike], 1), [0, 1], [2]),
            () => f.reshape(x, [...x.shape].reverse()),
          ];
          const y = pick(choices)();
          if (sizeOf(y.shape) < 1000) pool.push(y);
        }
        const loss = pool
          .slice(2)
          .map((y) => f.mean(f.mul(y, y)))
          .reduce((a, b) => f.add(a, b));
        tracer.output('loss', loss);
        differentiate(tracer, loss, inputs).forEach((g, i) => void tracer.output(`d${i}`, g));
        tracer.output('last', pool.at(-1)!);
      });
      const run = async (optimize: boolean) => {
        const plan = buildPlan(tracer.graph, { name: 'random', optimize });
        const program = await new ReferenceBackend().compile(plan);
        const values = new Random(9);
        for (const name of ['a', 'b', 'bias'])
          if (plan.slots[name])
            program.write(
              plan.slots[name],
              Float32Array.from({ length: sizeOf(plan.slots[name].shape) }, () => values.normal()),
            );
        program.run();
        return Promise.all(['loss', 'd0', 'd1', 'last'].map((slot) => program.read(plan.slots[slot])));
      };
      const [plain, moved] = [await run(false), await run(true)];
      plain.forEach((values, i) => {
        for (const [e, v] of values.entries()) expect(moved[i][e]).toBeCloseTo(v, 5);
      });
    },
  );
});
