import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { CLASSES } from './mnist.ts';

/** Colours and type that fit the page; text and lines take the page's own, so that light and dark both work. */
const config = {
  background: 'transparent',
  font: 'system-ui, sans-serif',
  view: { stroke: null },
  axis: {
    labelColor: 'currentColor',
    labelFontSize: 12,
    titleFontSize: 12,
    titleColor: 'currentColor',
    gridColor: '#8884',
    domainColor: '#8888',
    tickColor: '#8888',
  },
  legend: { labelColor: 'currentColor', titleColor: 'currentColor' },
} as const;

/** A chart as SVG text, with sizes left to the page. */
async function svg(spec: TopLevelSpec): Promise<string> {
  const view = new View(parse(compile({ config, ...spec } as TopLevelSpec).spec), { renderer: 'none' });
  const text = await view.toSVG();
  view.finalize();
  return text.replace(/ width="\d+(\.\d+)?" height="\d+(\.\d+)?"/, '');
}

/** Loss of each step (thinned), and its running mean. */
export function lossCurve(losses: readonly number[], stepsPerEpoch: number): Promise<string> {
  const every = Math.max(1, Math.floor(losses.length / 400));
  let mean = losses[0];
  const rows = losses
    .map((loss, i) => {
      mean = 0.97 * mean + 0.03 * loss;
      return { epoch: (i + 1) / stepsPerEpoch, loss: Math.max(loss, 1e-4), mean: Math.max(mean, 1e-4) };
    })
    .filter((_, i) => i % every === 0 || i === losses.length - 1);
  const x = { field: 'epoch', type: 'quantitative', title: 'epoch', axis: { grid: false } } as const;
  const y = { type: 'quantitative', title: 'loss', scale: { type: 'log' } } as const;
  return svg({
    width: 480,
    height: 330,
    data: { values: rows },
    layer: [
      {
        mark: { type: 'line', opacity: 0.35, strokeWidth: 1, color: '#7a8cff' },
        encoding: { x, y: { field: 'loss', ...y } },
      },
      {
        mark: { type: 'line', strokeWidth: 2.5, color: '#4c5fff' },
        encoding: { x, y: { field: 'mean', ...y } },
      },
    ],
  } as TopLevelSpec);
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
            condition: { test: 'datum.right', value: '#4c5fff' },
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

/** Bars of one figure each, on a logarithmic scale where they lie far apart. */
export function bars(
  rows: readonly { name: string; value: number; text: string }[],
  title: string,
): Promise<string> {
  const values = rows.map((r) => r.value);
  const log = Math.max(...values) > 50 * Math.min(...values);
  // A logarithmic bar needs a floor to stand on.
  const floor = log ? Math.min(...values) / 10 : 0;
  const x = {
    field: 'value',
    type: 'quantitative',
    title,
    axis: { grid: false, ticks: false, labels: false, domain: false },
    scale: {
      type: log ? 'log' : 'linear',
      domain: [floor, Math.max(...values)],
      nice: false,
      ...(log ? {} : { zero: true }),
    },
  };
  const y = {
    field: 'name',
    type: 'nominal',
    sort: null,
    title: null,
    axis: { domain: false, ticks: false, labelLimit: 220, labelFontSize: 12 },
  };
  return svg({
    width: 260,
    height: { step: 30 },
    data: { values: rows.map((r) => ({ ...r, floor: log ? floor : 0 })) },
    layer: [
      {
        mark: { type: 'bar', cornerRadiusEnd: 4, height: 18, color: '#4c5fff' },
        encoding: { x, x2: { field: 'floor' }, y },
      },
      {
        mark: { type: 'text', align: 'left', dx: 6, color: 'currentColor', fontSize: 12 },
        encoding: { x, y, text: { field: 'text' } },
      },
    ],
  } as unknown as TopLevelSpec);
}
