import { describe, expect, it } from 'vitest';
import { differentiate } from '../../src/graph/autodiff.ts';
import { buildPlan } from '../../src/graph/build-plan.ts';
import { type Tensor, Tracer } from '../../src/graph/trace.ts';
import { ops as f, nn } from '../../src/index.ts';
import { backends, reference } from '../support/backends.ts';

const places = [{ name: 'reference', create: async () => reference(), absent: false }, ...backends];
const ones = (n: number) => new Float32Array(n).fill(1);

/** y, and the gradient of its sum, on each backend. */
async function everywhere(shape: number[], x: Float32Array, work: (x: Tensor) => Tensor) {
  const found: { y: number[]; d: number[] }[] = [];
  for (const { create, absent } of places) {
    if (absent) continue;
    const tracer = new Tracer({ training: true });
    const input = tracer.state('x', { dtype: 'f32', shape });
    const y = tracer.run(() => work(input));
    tracer.output('y', y);
    tracer.output(
      'd',
      differentiate(
        tracer,
        tracer.run(() => f.sum(y)),
        [input],
      )[0],
    );
    const plan = buildPlan(tracer.graph, { name: 'dropout' });
    const backend = await create();
    const program = await backend.compile(plan);
    program.write(plan.slots.x, x);
    program.write(plan.slots.seed, Int32Array.of(7, 3));
    program.run();
    found.push({
      y: Array.from(await program.read(plan.slots.y)),
      d: Array.from(await program.read(plan.slots.d)),
    });
    backend.dispose();
  }
  return found;
}

describe('dropout of whole channels', () => {
  it.each<[name: 'dropout1d' | 'dropout2d', shape: number[], options: f.ChannelDropoutOptions]>([
    ['dropout1d', [16, 8, 5], {}],
    ['dropout2d', [16, 8, 3, 2], {}],
    ['dropout2d', [16, 3, 2, 8], { layout: 'NHWC' }],
  ])(
    '%s of %j drops or keeps a channel of a sample, alike on every backend',
    async (name, shape, options) => {
      const size = shape.reduce((a, b) => a * b, 1);
      const found = await everywhere(shape, ones(size), (x) => f[name](x, 0.25, options));
      const [{ y, d }] = found;
      expect(d).toEqual(y);
      for (const other of found) expect(other).toEqual(found[0]);
      const last = options.layout === 'NHWC';
      const beside = size / 128;
      const channels = Array.from({ length: 128 }, (_, c) =>
        Array.from({ length: beside }, (_, i) =>
          last ? y[(c >> 3) * beside * 8 + i * 8 + (c & 7)] : y[c * beside + i],
        ),
      );
      for (const channel of channels) expect(new Set(channel).size).toBe(1);
      const kept = channels.filter(([v]) => v !== 0);
      expect(new Set(kept.map(([v]) => v))).toEqual(new Set([Math.fround(1 / 0.75)]));
      expect(kept.length).toBeGreaterThan(128 * 0.6);
      expect(kept.length).toBeLessThan(128 * 0.9);
    },
  );

  it('alphaDropout gives what is dropped one value and keeps mean and variance, alike everywhere', async () => {
    const n = 20000;
    const random = Float32Array.from({ length: n }, (_, i) => Math.sqrt(3) * ((2 * i + 1) / n - 1));
    const found = await everywhere([n], random, (x) => f.alphaDropout(x, 0.3));
    const [{ y, d }] = found;
    // PyTorch's a and b for p = 0.3: dropped elements are a alpha + b, kept ones a x + b.
    const alpha = -1.7580993408473766;
    const a = 1 / Math.sqrt(0.7 * (1 + 0.3 * alpha ** 2));
    const b = -a * alpha * 0.3;
    for (const [i, v] of y.entries()) {
      expect(d[i] === 0 || Math.abs(d[i] - a) < 1e-6).toBe(true);
      expect(Math.abs(v - (d[i] === 0 ? a * alpha + b : a * random[i] + b))).toBeLessThan(1e-6);
    }
    const mean = y.reduce((s, v) => s + v) / n;
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(Math.abs(y.reduce((s, v) => s + (v - mean) ** 2, 0) / n - 1)).toBeLessThan(0.03);
    for (const other of found)
      for (const [i, v] of other.y.entries()) expect(Math.abs(v - y[i])).toBeLessThan(1e-6);
  });

  it('does nothing in inference, and is refused where it makes no sense', () => {
    const x = new Tracer({ training: false }).input('x', { dtype: 'f32', shape: [2, 3, 4] });
    expect(f.dropout1d(x)).toBe(x);
    expect(f.alphaDropout(x)).toBe(x);
    expect(() => f.dropout2d(x)).toThrow(/\[2, 3, 4\], expected \(batch, channels, height, width\)/);
    expect(() => nn.dropout2d(1)).toThrow(/p is 1, expected a number from 0/);
    expect(() => nn.alphaDropout(-0.1)).toThrow(/p is -0.1/);
    expect(nn.specOf(nn.fromSpec({ layer: 'dropout2d', p: 0.1, layout: 'NHWC' }))).toEqual(
      nn.specOf(nn.dropout2d(0.1, { layout: 'NHWC' })),
    );
  });
});
