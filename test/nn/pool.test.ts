import { describe, expect, it } from 'vitest';
import { ReferenceBackend } from '../../src/backend/reference/backend.ts';
import { differentiate } from '../../src/graph/autodiff.ts';
import { buildPlan } from '../../src/graph/build-plan.ts';
import { Tracer } from '../../src/graph/trace.ts';
import { createEngine, ops as f, nn, optim } from '../../src/index.ts';

const f32 = (...shape: number[]) => ({ dtype: 'f32' as const, shape });
const traced = (shape: number[]) => {
  const tracer = new Tracer({ training: true });
  return { tracer, x: tracer.state('x', f32(...shape)) };
};

/** The pooled values, and what each element gets of their sum. */
async function pooled(shape: number[], values: number[], ...given: [f.Sizes, f.MaxPoolOptions?]) {
  const { tracer, x } = traced(shape);
  const y = f.maxPool2d(x, ...given);
  tracer.output('y', y);
  tracer.output('d', differentiate(tracer, f.sum(y), [x])[0]);
  const plan = buildPlan(tracer.graph, { name: 'pool' });
  const program = await new ReferenceBackend().compile(plan);
  program.write(plan.slots.x, Float32Array.from(values));
  program.run();
  return { y: Array.from(await program.read(plan.slots.y)), d: Array.from(await program.read(plan.slots.d)) };
}

describe('max pooling', () => {
  it.each<[shape: number[], kernel: f.Sizes, options: f.MaxPoolOptions | undefined, result: number[]]>([
    [[2, 3, 28, 28], 2, undefined, [2, 3, 14, 14]],
    [[2, 3, 28, 28], 3, { stride: 2, padding: 1 }, [2, 3, 14, 14]],
    [[2, 3, 5, 7], 2, undefined, [2, 3, 2, 3]],
    [[2, 3, 5, 7], [3, 2], { stride: [2, 1] }, [2, 3, 2, 6]],
    [[1, 1, 9, 9], 3, { stride: 1, dilation: 2 }, [1, 1, 5, 5]],
    [[64, 112, 112], 3, { stride: 2, padding: 1 }, [64, 56, 56]],
    [[0, 3, 4, 4], 2, undefined, [0, 3, 2, 2]],
  ])('of %j by %j and %j is %j, as in PyTorch', (shape, kernel, options, result) => {
    expect(f.maxPool2d(traced(shape).x, kernel, options).shape).toEqual(result);
  });

  it('gives the gradient to the first largest of each window, and adds where windows overlap', async () => {
    const ties = await pooled([1, 1, 2, 4], [1, 3, 5, 5, 3, 2, 5, 5], 2);
    expect(ties.y).toEqual([3, 5]);
    expect(ties.d).toEqual([0, 1, 1, 0, 0, 0, 0, 0]);
    const overlapping = await pooled([1, 3, 3], [1, 2, 3, 4, 9, 5, 6, 7, 8], 2, { stride: 1 });
    expect(overlapping.y).toEqual([9, 9, 9, 9]);
    expect(overlapping.d).toEqual([0, 0, 0, 0, 4, 0, 0, 0, 0]);
  });

  it('pads with -infinity, and keeps NaN', async () => {
    const negative = await pooled([1, 2, 2], [-4, -3, -2, -1], 2, { stride: 2, padding: 1 });
    expect(negative.y).toEqual([-4, -3, -2, -1]);
    const { y, d } = await pooled([1, 2, 4], [1, Number.NaN, 4, 3, 9, 2, Infinity, 1], 2);
    expect(y).toEqual([Number.NaN, Infinity]);
    expect(d).toEqual([0, 1, 0, 0, 0, 0, 1, 0]);
  });

  it.each<[what: string, shape: number[], kernel: unknown, options: unknown, code: string, message: RegExp]>([
    [
      'a kernel of 0',
      [1, 1, 4, 4],
      0,
      {},
      'invalid_argument',
      /kernelSize is 0, expected a whole number from 1/,
    ],
    ['a kernel of three', [1, 1, 4, 4], [2, 2, 2], {}, 'invalid_argument', /kernelSize is \[2, 2, 2\]/],
    ['a stride of 0', [1, 1, 4, 4], 2, { stride: 0 }, 'invalid_argument', /stride is 0/],
    [
      'an option that is none',
      [1, 1, 4, 4],
      2,
      { strides: 2 },
      'invalid_argument',
      /unknown option 'strides'/,
    ],
    [
      'much padding',
      [1, 1, 4, 4],
      3,
      { padding: 2 },
      'out_of_range',
      /padding is \[2, 2\], expected at most half/,
    ],
    ['a small image', [1, 1, 2, 2], 3, {}, 'shape_mismatch', /no window of \[3, 3\] fits into \[2, 2\]/],
    [
      'an image without channels',
      [4, 4],
      2,
      {},
      'shape_mismatch',
      /expected \[batch, channels, height, width\]/,
    ],
  ])('refuses %s', (_, shape, kernel, options, code, message) => {
    const pool = () => f.maxPool2d(traced(shape).x, kernel as f.Sizes, options as f.MaxPoolOptions);
    expect(pool).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
  });

  it('is a layer whose spec says every size', () => {
    expect(nn.maxPool2d(2).spec).toEqual({
      layer: 'maxPool2d',
      kernelSize: 2,
      stride: 2,
      padding: 0,
      ceilMode: false,
      layout: 'NCHW',
      dilation: 1,
    });
    const options = { stride: [2, 1], padding: [1, 0] } as const;
    const { spec } = nn.maxPool2d([3, 2], options);
    expect(nn.fromSpec(JSON.parse(JSON.stringify(spec))).spec).toEqual(spec);
    expect(() => nn.maxPool2d(2, { strides: 2 } as object)).toThrow(/unknown option 'strides'/);
  });

  it('runs on bytes between products that are integers, and gives what f32 gives but for the rounding', async () => {
    const engine = await createEngine({ backend: 'reference' });
    const model = nn.sequential(
      nn.linear(6, 8),
      nn.relu(),
      nn.maxPool2d(2),
      nn.softsign(),
      nn.flatten(),
      nn.linear(12, 3),
    );
    const samples = Float32Array.from({ length: 40 * 6 * 6 }, (_, i) => Math.sin(i * i));
    const training = await engine.train(model, {
      input: [1, 6, 6],
      loss: nn.mse,
      optimizer: optim.sgd(),
      seed: 3,
    });
    const frozen = await training.freeze();
    const quantized = await engine.quantize(frozen, { calibration: samples });
    const computing = quantized.report.filter(({ op }) => op !== 'reshape');
    expect(computing.map(({ op, runs }) => [op, runs])).toEqual([
      ['matmul', 'int8'],
      ['max_pool', 'int8'],
      ['softsign', 'int8'],
      ['matmul', 'int8'],
    ]);
    const exact = await (await engine.infer(frozen, { batchSize: 40 }))(samples);
    const rounded = await (await engine.infer(quantized, { batchSize: 40 }))(samples);
    for (let i = 0; i < exact.length; i++) expect(Math.abs(exact[i] - rounded[i])).toBeLessThan(0.03);
    engine.dispose();
  });
});
