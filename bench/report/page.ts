import type { TopLevelSpec } from 'vega-lite';
import { bars, INK, SECOND, svg } from '../../tools/report/chart.ts';
import { card, escapeHtml, figure, pageOf, table } from '../../tools/report/page.ts';
import type { Result } from '../run/case.ts';
import { OWN } from '../run/comparable.ts';
import { limitUnits } from '../run/limits.ts';
import { time } from '../run/measure.ts';
import type { Report } from './report.ts';

/** The report as one page that needs nothing else: the limits reached, and every case beside the peers. */
export async function page(report: Report): Promise<string> {
  const { machine, runtime, date, command, limits, results } = report;
  const suites = [...new Set(results.map((r) => r.suite))];
  const figures = Object.entries(limits).map(([name, rate]) =>
    figure(
      `${rate!.toFixed(0)} ${limitUnits[name as keyof typeof limitUnits]}`,
      `limit: ${name.replace('_', '-')}`,
    ),
  );
  const sections = [
    ...(limits.multiply_add && limits.copy && results.some(onRoofline)
      ? [card('Roofline', await roofline(report), true)]
      : []),
    ...(results.some((r) => r.share_of_limit !== null)
      ? [card('Share of the measured limit', await shares(results), true)]
      : []),
    ...(await Promise.all(
      suites.map(async (suite) =>
        card(escapeHtml(suite), await suiteBody(results.filter((r) => r.suite === suite)), true),
      ),
    )),
  ];
  return pageOf({
    title: 'biphase: benchmark',
    heading: 'Benchmark',
    lead: `${escapeHtml(machine)}; ${escapeHtml(runtime)}; ${date}; <code>${escapeHtml(command)}</code>. Medians; every answer was checked before it was timed.`,
    style,
    figures,
    sections,
  });
}

const style = `
section svg { max-height: none; }
td, th { white-space: nowrap; }
.scroll { overflow-x: auto; margin-bottom: 16px; }
small { opacity: 0.7; }
`;

const onRoofline = (r: Result) =>
  r.engine === OWN && r.intensity && r.rate !== null && r.suite !== 'matmul_i8';

/** Rates of ours over operations per byte, under what copying and multiplying and adding allow at best. */
function roofline({ limits, results }: Report): Promise<string> {
  const points = results.filter(onRoofline).map((r) => ({
    intensity: r.intensity!,
    // Rates of what is bound by memory are told in bytes.
    rate: r.unit === 'GB/s' ? r.rate! * r.intensity! : r.rate!,
    suite: r.suite,
  }));
  const [flops, bytes] = [limits.multiply_add!, limits.copy!];
  const from = Math.min(0.1, ...points.map((p) => p.intensity));
  const to = Math.max(200, ...points.map((p) => p.intensity));
  const roof = [from, flops / bytes, to].map((x) => ({ intensity: x, rate: Math.min(flops, bytes * x) }));
  const x = {
    field: 'intensity',
    type: 'quantitative',
    title: 'operations per byte',
    scale: { type: 'log' },
  };
  const y = { field: 'rate', type: 'quantitative', title: 'GFLOP/s', scale: { type: 'log' } };
  return svg({
    width: 560,
    height: 280,
    layer: [
      {
        data: { values: roof },
        mark: { type: 'line', color: SECOND, strokeWidth: 2.5 },
        encoding: {
          x: { ...x, axis: { format: '~g', tickCount: 5 } },
          y: { ...y, axis: { format: '~g', tickCount: 5 } },
        },
      },
      {
        data: { values: points },
        mark: { type: 'point', filled: true, size: 60, opacity: 0.8 },
        encoding: {
          x,
          y,
          color: { field: 'suite', type: 'nominal', title: null, legend: { orient: 'top' } },
        },
      },
    ],
  } as unknown as TopLevelSpec);
}

/** Each case of ours against what bounds it: 1 is the limit measured beside it. */
function shares(results: readonly Result[]): Promise<string> {
  const values = results
    .filter((r) => r.engine === OWN && r.share_of_limit !== null)
    .map((r) => ({ name: `${r.suite}: ${r.case}`, share: r.share_of_limit, suite: r.suite }));
  const x = {
    field: 'share',
    type: 'quantitative',
    title: 'share of the limit',
    scale: { domain: [0, Math.max(1.05, ...values.map((v) => v.share!))] },
    axis: { format: '%' },
  };
  const y = {
    field: 'name',
    type: 'nominal',
    sort: null,
    title: null,
    axis: { labelLimit: 0, domain: false, ticks: false },
  };
  return svg({
    width: 420,
    height: { step: 18 },
    data: { values },
    layer: [
      { mark: { type: 'rule', color: SECOND, strokeDash: [4, 3] }, encoding: { x: { datum: 1 } } },
      {
        mark: { type: 'bar', height: 11, cornerRadiusEnd: 3, color: INK },
        encoding: { x: { ...x, stack: null }, y },
      },
    ],
  } as unknown as TopLevelSpec);
}

/** How long callers wait, by how many there are. */
function latencies(rows: readonly Result[]): Promise<string> {
  const values = rows.flatMap((r) => {
    const callers = Number(/\d+/.exec(r.case)![0]);
    return [
      { callers, of: 'p50', ms: r.median_ms },
      { callers, of: 'p99', ms: r.p99_ms },
    ];
  });
  const axis = { format: '~g', tickCount: 5 };
  return svg({
    width: 560,
    height: 220,
    data: { values },
    mark: { type: 'line', point: { size: 60 }, strokeWidth: 2.5 },
    encoding: {
      x: {
        field: 'callers',
        type: 'quantitative',
        title: 'callers at once',
        scale: { type: 'log', base: 4 },
        axis: { grid: false, values: rows.map((r) => Number(/\d+/.exec(r.case)![0])) },
      },
      y: { field: 'ms', type: 'quantitative', title: 'wait, ms', scale: { type: 'log' }, axis },
      color: {
        field: 'of',
        type: 'nominal',
        title: null,
        scale: { range: [INK, SECOND] },
        legend: { orient: 'top', symbolStrokeWidth: 3 },
      },
    },
  } as unknown as TopLevelSpec);
}

/** A table of all engines, case by case, and bars where there are peers. */
async function suiteBody(rows: readonly Result[]): Promise<string> {
  const engines = [...new Set(rows.map((r) => r.engine))];
  const cases = [...new Set(rows.map((r) => r.case))];
  const cell = (name: string, engine: string) => {
    const r = rows.find((x) => x.case === name && x.engine === engine);
    if (!r) return '';
    const rate =
      r.rate === null || r.unit === 'bytes'
        ? ''
        : `<br><small>${r.rate.toFixed(r.rate < 100 ? 1 : 0)} ${r.unit}</small>`;
    if (r.p99_ms !== undefined) return `${time(r.median_ms)}, p99 ${time(r.p99_ms)}${rate}`;
    return r.unit === 'bytes' ? `${(r.rate! / 1000).toFixed(1)} kB` : `${time(r.median_ms)}${rate}`;
  };
  const list = `<div class="scroll">${table([
    ['', ...engines.map(escapeHtml)],
    ...cases.map((name) => [escapeHtml(name), ...engines.map((engine) => cell(name, engine))]),
  ])}</div>`;
  const waits = rows.filter((r) => r.engine === OWN && r.p99_ms !== undefined && /^load: /.test(r.case));
  if (waits.length) return `${await latencies(waits)}${list}`;
  const compared = rows.filter(
    (r) => r.engine === OWN && r.ratio_to_best_peer !== null && r.unit !== 'bytes',
  );
  if (compared.length === 0 || engines.length === 1) return list;
  const ratios = await bars(
    compared.map((r) => ({
      name: r.case,
      value: r.ratio_to_best_peer!,
      text: `${r.ratio_to_best_peer!.toFixed(1)} x`,
    })),
  );
  return `${list}<p class="note">Times as fast as the fastest peer</p>${ratios}`;
}
