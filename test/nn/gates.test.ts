import { expect, it } from 'vitest';
import { createEngine, exportWasm, ops as f, nn, optim } from '../../src/index.ts';
import { runFrozen } from '../support/frozen.ts';

/** What lies within a ring, by its two coordinates. */
const points = Float32Array.from({ length: 512 }, (_, i) => Math.sin(i * 12.9898 + (i % 2)) * 1.5);
const inside = Int32Array.from({ length: 256 }, (_, i) => {
  const radius = Math.hypot(points[2 * i], points[2 * i + 1]);
  return Number(radius > 0.6 && radius < 1.3);
});

it('slopes that are learned, gates, roots and choices train, are quantized, and run as a file', async () => {
  const engine = await createEngine({ backend: 'wasm', threads: 1 });
  const parts = nn.sequential(nn.linear(5, 32), nn.prelu(32), nn.linear(32, 32), nn.glu(), nn.linear(16, 2));
  const model = nn.module({ parts }, (xy, { parts }) => {
    const [x, y] = f.split(xy, 1, 1);
    const radius = f.sqrt(f.add(f.square(x), f.square(y)));
    const far = f.where(f.gt(radius, 1), f.sub(radius, 1), 0);
    return parts.forward(f.concat([xy, f.clip(radius, 0.25, 1.75), far, f.maximum(f.abs(x), f.abs(y))], 1));
  });
  const training = await engine.train(model, {
    ...{ loss: nn.crossEntropy, optimizer: optim.adam({ lr: 0.02 }), input: [2], seed: 1 },
  });
  let loss = 0;
  for (let step = 0; step < 150; step++) loss = await training.stepOn(points, inside, 256);
  expect(loss).toBeLessThan(0.2);
  expect([...nn.namedParameters(model)].map(([, name]) => name)).toContain('parts.1.weight');
  const frozen = await training.freeze();
  const answers = await (await engine.infer(frozen))(points);
  const right = (y: Float32Array) => inside.filter((t, i) => Number(y[2 * i + 1] > y[2 * i]) === t).length;
  expect(right(answers)).toBeGreaterThan(240);
  const int8 = await engine.quantize(frozen, { calibration: points });
  expect(right(await (await engine.infer(int8))(points))).toBeGreaterThan(235);
  // What is not steep runs on bytes where it finds them; roots stay f32.
  const runs = (op: string) => int8.report.filter((r) => r.op === op).map((r) => r.runs);
  expect(runs('sqrt')).toEqual(['f32']);

  const inFile = await runFrozen(
    await exportWasm(frozen, { f32: true, maxBatch: 4 }),
    points.subarray(0, 16),
    4,
  );
  for (const [i, y] of inFile.entries()) expect(y).toBeCloseTo(answers[i], 3);
  engine.dispose();
});

it('a function of one number behind a product of integers is a table', async () => {
  const engine = await createEngine({ backend: 'wasm', threads: 1 });
  const model = nn.sequential(
    nn.linear(2, 16),
    nn.relu6(),
    nn.linear(16, 16),
    nn.hardtanh(),
    nn.linear(16, 2),
  );
  const training = await engine.train(model, {
    ...{ loss: nn.crossEntropy, optimizer: optim.adam({ lr: 0.02 }), input: [2], seed: 1 },
  });
  const int8 = await engine.quantize(await training.freeze(), { calibration: points });
  expect(int8.report.map((r) => `${r.op} ${r.runs}`)).toEqual([
    ...['matmul int8', 'matmul int8', 'clip int8', 'matmul int8'],
  ]);
  engine.dispose();
});
