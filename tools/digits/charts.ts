import type { TopLevelSpec } from 'vega-lite';
import { INK, SECOND, svg } from '../report/chart.ts';
import { CLASSES } from './mnist.ts';

/** Loss of each step (thinned), and its running mean. */
export function lossCurve(losses: readonly number[], stepsPerEpoch: number): Promise<string> {
  const every = Math.max(1, Math.floor(losses.length / 400));
  // A share of the run, so that the mean neither lags in a short run nor trembles in a long one.
  const weight = Math.min(0.2, Math.max(0.02, 30 / losses.length));
  let mean = losses[0];
  const rows = losses
    .map((loss, i) => {
      mean = (1 - weight) * mean + weight * loss;
      return { epoch: (i + 1) / stepsPerEpoch, loss: Math.max(loss, 1e-4), mean: Math.max(mean, 1e-4) };
    })
    .filter((_, i) => i % every === 0 || i === losses.length - 1);
  const x = { field: 'epoch', type: 'quantitative', title: 'epoch', axis: { grid: false } } as const;
  const y = {
    type: 'quantitative',
    title: 'loss',
    scale: { type: 'log' },
    // One line for each power of ten, not nine.
    axis: { values: [0.0001, 0.001, 0.01, 0.1, 1, 10] },
  } as const;
  return svg({
    width: 400,
    height: 300,
    data: { values: rows },
    layer: [
      {
        mark: { type: 'line', opacity: 0.35, strokeWidth: 1, color: '#7a8cff' },
        encoding: { x, y: { field: 'loss', ...y } },
      },
      {
        mark: { type: 'line', strokeWidth: 2.5, color: INK },
        encoding: { x, y: { field: 'mean', ...y } },
      },
    ],
  } as unknown as TopLevelSpec);
}

/** How often each digit was taken for each other. */
export function confusion(labels: Uint8Array, answers: Uint8Array): Promise<string> {
  const counts = Array.from({ length: CLASSES }, () => new Array<number>(CLASSES).fill(0));
  for (let i = 0; i < labels.length; i++) counts[labels[i]][answers[i]]++;
  const rows = counts.flatMap((row, truth) =>
    row.map((count, answer) => ({
      truth,
      answer,
      count,
      wrong: truth === answer ? 0 : count,
      right: truth === answer,
    })),
  );
  const axis = { labelAngle: 0, domain: false, ticks: false };
  return svg({
    width: 360,
    height: 360,
    data: { values: rows },
    encoding: {
      x: { field: 'answer', type: 'ordinal', title: 'answer', axis },
      y: { field: 'truth', type: 'ordinal', title: 'digit', axis },
    },
    layer: [
      {
        mark: { type: 'rect', cornerRadius: 3 },
        encoding: {
          color: {
            condition: { test: 'datum.right', value: INK },
            field: 'wrong',
            type: 'quantitative',
            scale: { type: 'sqrt', range: ['#8882', '#ff5c5c'] },
            legend: null,
          },
        },
      },
      {
        mark: { type: 'text', fontSize: 11 },
        encoding: {
          text: { field: 'count' },
          color: {
            condition: { test: 'datum.right || datum.count > 12', value: 'white' },
            value: 'currentColor',
          },
          opacity: { condition: { test: 'datum.count == 0', value: 0.25 }, value: 1 },
        },
      },
    ],
  } as unknown as TopLevelSpec);
}

/** What was spent on training and, call by call, on serving: two lines that cross at the break-even. */
export function spending(training: number, each: number, breakEven: number): Promise<string> {
  const from = Math.max(1, breakEven / 1000);
  const to = breakEven * 100;
  const lines = [
    { of: 'training, once', calls: from, spent: training },
    { of: 'training, once', calls: to, spent: training },
    { of: 'serving, every call', calls: from, spent: each * from },
    { of: 'serving, every call', calls: to, spent: each * to },
  ];
  const x = {
    field: 'calls',
    type: 'quantitative',
    title: 'inferences',
    scale: { type: 'log', domain: [from, to], nice: false },
    axis: { grid: false, tickCount: 5, format: '~s', labelOverlap: true },
  };
  const y = {
    field: 'spent',
    type: 'quantitative',
    title: 'FLOP',
    scale: { type: 'log' },
    axis: { tickCount: 5, format: '~s', labelOverlap: true },
  };
  return svg({
    width: 340,
    height: 190,
    layer: [
      {
        data: { values: lines },
        mark: { type: 'line', strokeWidth: 2.5 },
        encoding: {
          x,
          y,
          color: {
            field: 'of',
            type: 'nominal',
            title: null,
            sort: null,
            scale: { range: [INK, SECOND] },
            legend: { orient: 'top', symbolStrokeWidth: 3, labelLimit: 0 },
          },
        },
      },
      {
        data: { values: [{ calls: breakEven, spent: training }] },
        mark: { type: 'point', filled: true, size: 90, opacity: 1, color: 'currentColor' },
        encoding: { x, y },
      },
      {
        data: { values: [{ calls: breakEven, spent: training }] },
        mark: { type: 'text', align: 'left', baseline: 'top', dx: 6, dy: 8, color: 'currentColor' },
        encoding: { x, y, text: { value: Math.round(breakEven).toLocaleString('en-US') } },
      },
    ],
  } as unknown as TopLevelSpec);
}
