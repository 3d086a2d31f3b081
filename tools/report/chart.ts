import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';

/** Readable on white and on near-black. */
export const INK = '#5b6cff';
export const SECOND = '#f0883e';

/** Colours and type that fit the page; text and lines take the page's own, so that light and dark both work. */
const config = {
  background: 'transparent',
  font: 'system-ui, sans-serif',
  view: { stroke: null },
  axis: {
    labelColor: 'currentColor',
    titleColor: 'currentColor',
    gridColor: '#8884',
    domainColor: '#8888',
    tickColor: '#8888',
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 'normal',
  },
  text: { fontSize: 12 },
  legend: { labelColor: 'currentColor', labelFontSize: 12 },
} as const;

/** A chart as SVG text: as wide as its place on the page, but not so wide that its text outgrows the page's. */
export async function svg(spec: TopLevelSpec): Promise<string> {
  const view = new View(parse(compile({ config, ...spec } as TopLevelSpec).spec), { renderer: 'none' });
  const text = await view.toSVG();
  view.finalize();
  return text.replace(
    / width="([\d.]+)" height="[\d.]+"/,
    (_, width) => ` style="max-width: ${Math.round(1.25 * width)}px"`,
  );
}

export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly text: string;
}

/** Bars from zero, each with its figure; as many pixels wide as a phone has, so that text stays readable there. */
export function bars(rows: readonly Bar[]): Promise<string> {
  const most = Math.max(...rows.map((r) => r.value));
  // Stacked bars with round ends would be cut out of clip paths, one for each bar.
  const x = { field: 'value', type: 'quantitative', stack: null, axis: null, scale: { domain: [0, most] } };
  const axis = { domain: false, ticks: false, labelLimit: 0, labelPadding: 8 };
  const y = { field: 'name', type: 'nominal', sort: null, title: null, axis };
  return svg({
    width: 160,
    height: { step: 28 },
    data: { values: [...rows] },
    layer: [
      {
        mark: { type: 'bar', cornerRadiusEnd: 4, height: 16, color: INK },
        encoding: { x, y },
      },
      {
        mark: { type: 'text', align: 'left', dx: 6, color: 'currentColor' },
        encoding: { x, y, text: { field: 'text' } },
      },
    ],
  } as unknown as TopLevelSpec);
}
