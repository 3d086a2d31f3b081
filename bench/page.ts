import type { TopLevelSpec } from 'vega-lite';
import { bars, INK, SECOND, svg } from '../scripts/chart.ts';
import { card, escapeHtml, figure, pageOf, table } from '../scripts/page.ts';
import type { Result } from './case.ts';
import { limitUnits } from './limits.ts';
import type { Report } from './report.ts';
import { time } from './run.ts';

const OWN = 'biphase';

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
    figures,
    sections,
  });
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
    scale: { domain: [0, 1.05] },
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
    return r.unit === 'bytes' ? `${(r.rate! / 1000).toFixed(1)} kB` : `${time(r.median_ms)}${rate}`;
  };
  const list = table([
    ['', ...engines.map(escapeHtml)],
    ...cases.map((name) => [escapeHtml(name), ...engines.map((engine) => cell(name, engine))]),
  ]);
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
  return `<div class="columns"><div>${list}</div><div><p class="note">Times as fast as the fastest peer</p>${ratios}</div></div>`;
}
