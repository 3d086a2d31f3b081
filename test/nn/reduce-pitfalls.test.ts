/** What engines get wrong about reductions, running sums and order, with the values of PyTorch's definitions. */
import { afterAll, describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { allocate, type DType } from '../../src/core/dtype.ts';
import { sizeOf } from '../../src/core/shape.ts';
import { differentiate } from '../../src/graph/autodiff.ts';
import { buildPlan } from '../../src/graph/build-plan.ts';
import { type Tensor, Tracer } from '../../src/graph/trace.ts';
import { createEngine, exportWasm, ops as f, f32, nn, optim } from '../../src/index.ts';
import { backends, reference } from '../support/backends.ts';
import { runFrozen } from '../support/frozen.ts';

const places = [{ name: 'reference', create: async () => reference(), absent: false }, ...backends];
const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

describe.each(places.filter(({ absent }) => !absent))('$name', ({ name, create }) => {
  let backend: Promise<Backend> | undefined;
  afterAll(async () => (await backend)?.dispose());
  /** WGSL has no f64, and f32 beyond 1e19 can't be squared there. */
  const wide = name !== 'webgpu';

  /** y = work(x), and the gradient of sum(y dy) where dy is given. */
  async function worked(
    shape: number[],
    values: ArrayLike<number>,
    work: (x: Tensor) => Tensor,
    dy?: number[],
    dtype: DType = 'f32',
  ) {
    const tracer = new Tracer({ training: true });
    const x = tracer.state('x', { dtype, shape });
    const y = tracer.run(() => work(x));
    tracer.output('y', y);
    if (dy) {
      const loss = tracer.run(() => f.sum(f.mul(y, tracer.constant(Float32Array.from(dy), y))));
      tracer.output('d', differentiate(tracer, loss, [x])[0]);
    }
    const plan = buildPlan(tracer.graph, { name: 'reduce' });
    backend ??= create();
    const program = await (await backend).compile(plan);
    const data = allocate(dtype, sizeOf(shape));
    data.set(values);
    if (plan.slots.x) program.write(plan.slots.x, data);
    program.run();
    const y0 = Array.from(await program.read(plan.slots.y));
    const d = dy ? Array.from(await program.read(plan.slots.d)) : [];
    program.dispose();
    return { y: y0, d };
  }
  const of = async (values: number[], work: (x: Tensor) => Tensor, dtype?: DType) =>
    (await worked([values.length], values, work, undefined, dtype)).y;
  const near = (got: number[], want: number[], room = 1e-5) => {
    expect(got).toHaveLength(want.length);
    for (const [i, w] of want.entries())
      if (Number.isFinite(w))
        expect(Math.abs(got[i] - w)).toBeLessThanOrEqual(room * Math.max(1, Math.abs(w)));
      else expect(got[i]).toBe(w);
  };

  it('a variance far from 0: no difference of squares', async () => {
    const far = [40000, 40001, 40002, 40003];
    near(await of(far, (x) => f.variance(x, { correction: 0 })), [1.25]);
    near((await worked([4, 1], far, (x) => f.variance(x, { axes: 0 }))).y, [5 / 3]);
    const close = Float32Array.from({ length: 16 }, (_, i) => 10000 + i * 0.001);
    const mean = close.reduce((a, b) => a + b, 0) / 16;
    const exact = close.reduce((a, b) => a + (b - mean) ** 2, 0) / 15;
    expect((await of([...close], f.variance))[0] / exact).toBeCloseTo(1, 3);
  });

  it('a variance of equals is 0, and so is the gradient of its root', async () => {
    const equal = Array.from({ length: 256 }, () => 1234);
    expect(await of(equal, f.variance)).toEqual([0]);
    const { y, d } = await worked([2, 4], [5, 5, 5, 5, 1, 2, 3, 4], (x) => f.std(x, { axes: 1 }), [1, 1]);
    near(y, [0, 1.2909944]);
    near(d, [0, 0, 0, 0, -0.3872983, -0.1290994, 0.1290994, 0.3872983]);
  });

  it('a variance of too little: NaN of one element, infinity where the correction takes all', async () => {
    expect(await of([3], f.variance)).toEqual([nan]);
    expect(await of([3], (x) => f.std(x, { correction: 0 }))).toEqual([0]);
    expect(await of([1, 3], (x) => f.variance(x, { correction: 2 }))).toEqual([inf]);
    expect(await of([1, 3], (x) => f.std(x, { correction: 5 }))).toEqual([inf]);
    expect(await of([2, 2], (x) => f.variance(x, { correction: 3 }))).toEqual([nan]);
    expect(await of([1, inf, 2], f.variance)).toEqual([nan]);
    expect((await worked([2, 0], [], (x) => f.variance(x, { axes: 1 }))).y).toEqual([nan, nan]);
  });

  it('what is large or small: neither squares nor powers leave the range', async () => {
    near(
      (await of([3e30, 4e30], f.norm)).map((y) => y / 1e30),
      [5],
    );
    near(
      (await of([3e-30, 4e-30], f.norm)).map((y) => y / 1e-30),
      [5],
    );
    near(
      (await of([1e30, 1e30, 1e30], (x) => f.norm(x, { p: 3 }))).map((y) => y / 1e30),
      [3 ** (1 / 3)],
    );
    if (!wide) return;
    near(
      (await of([1e25, -1e25], (x) => f.std(x, { correction: 0 }))).map((y) => y / 1e25),
      [1],
    );
    near(
      (await of([1e-25, -1e-25], (x) => f.std(x, { correction: 0 }))).map((y) => y / 1e-25),
      [1],
    );
    const columns = [1e25, 1, 2e-30, -1e25, 3, -2e-30];
    near(
      (await worked([2, 3], columns, (x) => f.std(x, { axes: 0, correction: 0 }))).y.map(
        (y, i) => y / [1e25, 1, 2e-30][i],
      ),
      [1, 1, 1],
    );
  });

  it('nothing: 0, 1, -infinity, NaN, or no answer', async () => {
    const none = async (work: (x: Tensor) => Tensor) => (await worked([2, 0], [], work)).y;
    expect(await none((x) => f.sum(x, { axes: 1 }))).toEqual([0, 0]);
    expect(await none((x) => f.prod(x, { axes: 1 }))).toEqual([1, 1]);
    expect(await none((x) => f.mean(x, { axes: 1 }))).toEqual([nan, nan]);
    expect(await none((x) => f.logsumexp(x, { axes: 1 }))).toEqual([-inf, -inf]);
    expect(await none((x) => f.norm(x, { axes: 1 }))).toEqual([0, 0]);
    expect(await none((x) => f.any(x, { axes: 1 }))).toEqual([0, 0]);
    expect(await none((x) => f.all(x, { axes: 1 }))).toEqual([1, 1]);
    expect(await none((x) => f.countNonzero(x, { axes: 1 }))).toEqual([0, 0]);
    for (const work of [f.max, f.min])
      await expect(none((x) => work(x, { axes: 1 }))).rejects.toThrow('nothing');
    for (const work of [f.argmax, f.argmin]) await expect(none((x) => work(x))).rejects.toThrow('empty');
  });

  it('softmax and logsumexp of infinities, in short rows and those that begin with them', async () => {
    near(await of([1000, 1001, 1002], f.softmax), [0.09003057, 0.24472847, 0.66524096]);
    near(await of([1000, 1001, 1002], f.logsumexp), [1002.4076]);
    const { y, d } = await worked([2], [0, -inf], f.logSoftmax, [1, 0]);
    expect(y).toEqual([0, -inf]);
    expect(d).toEqual([0, 0]);
    near(await of([-inf, -inf, -inf, -inf, 0], f.softmax), [0, 0, 0, 0, 1]);
    expect(await of([-inf, -inf, -inf, -inf, 0], f.logsumexp)).toEqual([0]);
    for (const n of [1, 3, 17]) {
      const low = Array.from({ length: n }, () => -inf);
      expect(await of(low, f.softmax)).toEqual(low.map(() => nan));
      expect(await of(low, f.logsumexp)).toEqual([-inf]);
      expect(await of([...low, inf], f.logsumexp)).toEqual([inf]);
      expect(await of([...low, nan], f.logsumexp)).toEqual([nan]);
      expect(await of([inf, ...low, nan], f.logsumexp)).toEqual([nan]);
    }
    const columns = [-inf, -inf, 0, -inf, inf, 1, -inf, nan, 2];
    const across = await worked([3, 3], columns, (x) => f.logsumexp(x, { axes: 0 }));
    near(across.y, [-inf, nan, 2.4076059]);
  });

  it('the gradient of logsumexp is softmax; of a largest it is shared by equals, wherever they are', async () => {
    const { d } = await worked([3], [1000, 1001, 1002], f.logsumexp, [1]);
    // What f32 has of 1002.4 is 6e-5 off.
    near(d, [0.09003057, 0.24472847, 0.66524096], 1e-4);
    near((await worked([3], [1, 2, 2], f.max, [1])).d, [0, 0.5, 0.5]);
    const apart = [1, 5, 5, 0, 0, 5, 2, 5];
    const spread = await worked([2, 2, 2], apart, (x) => f.max(x, { axes: [0, 2] }), [1, 1]);
    near(spread.d, [0, 0.5, 0.5, 0, 0, 0.5, 0, 0.5]);
    near((await worked([3], [-2, -2, 0], f.min, [3])).d, [1.5, 1.5, 0]);
  });

  it('a product of factors of which some are 0 has its gradient', async () => {
    near((await worked([3], [2, 0, 3], f.prod, [1])).d, [0, 6, 0]);
    near((await worked([3], [0, 0, 3], f.prod, [1])).d, [0, 0, 0]);
    near((await worked([2, 2], [0, 2, 3, 4], (x) => f.prod(x, { axes: 0 }), [1, 1])).d, [3, 4, 0, 2]);
  });

  it('running sums do not stall, either way', async () => {
    near(await of([1, 2, 3], (x) => f.cumsum(x, { exclusive: true })), [0, 1, 3]);
    near(await of([1, 2, 3], (x) => f.cumsum(x, { reverse: true })), [6, 5, 3]);
    near(await of([1, 2, 3], (x) => f.cumsum(x, { exclusive: true, reverse: true })), [5, 3, 0]);
    near((await worked([3], [1, 2, 3], (x) => f.cumsum(x), [1, 2, 4])).d, [7, 6, 4]);
    const tenths = new Float32Array(100000).fill(0.1);
    const sums = (await worked([100000], tenths, (x) => f.cumsum(x))).y;
    expect(sums[99999] / (100000 * Math.fround(0.1))).toBeCloseTo(1, 6);
    expect(await of([16777216, 1, 1, -3], (x) => f.cumsum(x), 'i32')).toEqual([
      16777216, 16777217, 16777218, 16777215,
    ]);
    if (wide)
      expect(await of([16777216, 1, 1, 1, 1], (x) => f.cumsum(x))).toEqual([
        16777216, 16777216, 16777218, 16777220, 16777220,
      ]);
  });

  it('order is that of a stable sort, NaN above infinity', async () => {
    const mixed = [3, nan, -inf, inf, -0, 0, 3];
    expect(await of(mixed, (x) => f.sort(x).values)).toEqual([-inf, -0, 0, 3, 3, inf, nan]);
    expect(await of(mixed, (x) => f.sort(x).indices)).toEqual([2, 4, 5, 0, 6, 3, 1]);
    expect(await of(mixed, (x) => f.sort(x, { descending: true }).indices)).toEqual([1, 3, 0, 6, 4, 5, 2]);
    expect(await of(mixed, (x) => f.topk(x, 4).indices)).toEqual([1, 3, 0, 6]);
    expect(await of(mixed, (x) => f.topk(x, 2, { largest: false }).values)).toEqual([-inf, -0]);
    near(
      (await worked([2, 3], [1, 5, 3, 9, 7, 8], (x) => f.topk(x, 2).values, [1, 2, 3, 4])).d,
      [0, 1, 2, 3, 0, 4],
    );
    near(
      (await worked([2, 2], [4, 1, 2, 3], (x) => f.sort(x, { axis: 0 }).values, [1, 2, 3, 4])).d,
      [3, 2, 1, 4],
    );
  });

  it('positions along any axis: the first of equals, or of NaN; exact for whole numbers', async () => {
    const x = [2, 7, 7, 1, nan, 1];
    expect(await of(x, (t) => f.argmax(t))).toEqual([4]);
    expect(await of(x, (t) => f.argmin(t))).toEqual([4]);
    expect(await of(x.slice(0, 4), (t) => f.argmax(t))).toEqual([1]);
    expect(
      (await worked([2, 3], [1, 5, 2, 1, 4, 9], (t) => f.argmax(t, { axis: 0, keepDims: true }))).y,
    ).toEqual([0, 0, 1]);
    expect(await of([16777216, 16777217, -5], (t) => f.argmax(t), 'i32')).toEqual([1]);
    expect(await of([200, 3, 255, 3], (t) => f.argmin(t), 'u8')).toEqual([1]);
    expect(await of([200, 3, 255, 3], (t) => f.max(t), 'u8')).toEqual([255]);
    expect(await of([16777216, 16777217, -2147483648], (t) => f.min(t), 'i32')).toEqual([-2147483648]);
  });
});

it('says what is wrong before any work', () => {
  const x = new Tracer({ training: true }).input('x', { dtype: 'f32', shape: [2, 3] });
  const bytes = new Tracer({ training: true }).input('x', { dtype: 'u8', shape: [2, 3] });
  const wrong: [() => unknown, string, RegExp][] = [
    [() => f.max(x, { axes: 2 }), 'out_of_range', /max.*2/],
    [() => f.norm(x, { p: 0 }), 'invalid_argument', /p/],
    [() => f.norm(x, { p: Number.NaN }), 'invalid_argument', /p/],
    [() => f.variance(x, { correction: Number.NaN }), 'invalid_argument', /correction/],
    [() => f.sum(x, { axis: 1 } as never), 'invalid_argument', /axes/],
    [() => f.topk(x, 4), 'out_of_range', /4.*3/],
    [() => f.topk(x, 1.5), 'invalid_argument', /k/],
    [() => f.topk(x, 1, { axis: 5 }), 'out_of_range', /5/],
    [() => f.cumsum(bytes), 'dtype_mismatch', /u8.*cast/],
    [() => f.sort(bytes), 'dtype_mismatch', /u8.*cast/],
    [() => f.logsumexp(bytes), 'dtype_mismatch', /u8.*cast/],
  ];
  for (const [work, code, message] of wrong) {
    const error = (() => {
      try {
        work();
      } catch (thrown) {
        return thrown as Error & { code: string };
      }
    })();
    expect([error?.code, error?.message]).toEqual([code, expect.stringMatching(message)]);
  }
});

it('takes the largest of bytes where a model is quantized', async () => {
  const engine = await createEngine({ backend: 'wasm', threads: 1 });
  const parts = { first: nn.linear(6, 40), last: nn.linear(8, 3) };
  const model = nn.module(parts, (x, { first, last }) =>
    last.forward(f.max(f.reshape(first.forward(x), [x.shape[0], 5, 8]), { axes: 1 })),
  );
  const training = await engine.train(model, {
    loss: nn.mse,
    optimizer: optim.sgd(),
    inputs: { input: f32(6) },
  });
  const frozen = await training.freeze();
  const calibration = Float32Array.from({ length: 600 }, (_, i) => Math.sin(i));
  const int8 = await engine.quantize(frozen, { calibration });
  expect(int8.report.find(({ op }) => op === 'max')).toMatchObject({ runs: 'int8' });
  const answers: Float32Array[] = [];
  for (const served of [frozen, int8]) {
    const infer = await engine.infer(served, { batchSize: 10 });
    answers.push(Float32Array.from(await infer(calibration.subarray(0, 60))));
  }
  const [want, got] = answers;
  const range = Math.max(...want) - Math.min(...want);
  got.forEach((v, i) => {
    expect(Math.abs(v - want[i])).toBeLessThan(0.05 * range);
  });
  engine.dispose();
});

it('gives the same in a file that stands alone, whose memory is what it was made with', async () => {
  const engine = await createEngine({ backend: 'wasm', threads: 1 });
  const bias = nn.parameter([80], nn.init.constant(0));
  const model = nn.module({ bias }, (x, { bias }) => {
    const y = f.add(x, bias);
    const table = f.reshape(y, [x.shape[0], 4, 20]);
    const [sorted, best] = [f.sort(y, { descending: true }), f.topk(y, 3)];
    return f.concat(
      [
        ...[sorted.values, f.cast(sorted.indices, 'f32'), best.values, f.cumsum(y, { reverse: true })],
        ...[f.std(table, { axes: 1 }), f.logsumexp(table, { axes: 1 }), f.norm(table, { axes: 1, p: 3 })],
        ...[f.variance(y, { axes: 1, keepDims: true }), f.prod(y, { axes: 1, keepDims: true })],
        f.cast(f.argmin(y, { axis: 1, keepDims: true }), 'f32'),
        f.cast(f.countNonzero(y, { axes: 1, keepDims: true }), 'f32'),
      ],
      1,
    );
  });
  const training = await engine.train(model, {
    loss: nn.mse,
    optimizer: optim.sgd(),
    inputs: { input: f32(80) },
  });
  const frozen = await training.freeze();
  const rows = Float32Array.from({ length: 7 * 80 }, (_, i) => Math.sin(i * i));
  const infer = await engine.infer(frozen, { batchSize: 7 });
  const want = await infer(rows);
  const file = await exportWasm(frozen, { f32: true, maxBatch: 4 });
  const got = await runFrozen(file, rows, 4);
  expect(got).toHaveLength(want.length);
  got.forEach((v, i) => {
    expect(Math.abs(v - want[i])).toBeLessThanOrEqual(2e-6 * Math.max(1, Math.abs(want[i])));
  });
  engine.dispose();
});
