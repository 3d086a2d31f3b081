/** Writes the tables of docs/BENCHMARKS.md and of the README from the runs in bench/results/. */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Result } from '../run/case.ts';
import { isNative, isOwn, OWN } from '../run/comparable.ts';
import { limitUnits } from '../run/limits.ts';
import { time } from '../run/measure.ts';
import { picture } from './picture.ts';
import type { Report } from './report.ts';

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

export function reports(): { name: string; report: Report }[] {
  const folder = at('bench/results');
  return readdirSync(folder)
    .filter((f) => f.endsWith('.json'))
    .sort()
    .map((f) => ({
      name: f.replace('.json', ''),
      report: JSON.parse(readFileSync(`${folder}/${f}`, 'utf8')),
    }));
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [
    `| ${head.join(' | ')} |`,
    `|${'---|'.repeat(head.length)}`,
    ...rows.map((r) => `| ${r.join(' | ')} |`),
  ].join('\n');

const rateText = ({ rate, unit }: Result) =>
  rate === null ? '' : `${rate.toFixed(rate < 100 ? 1 : 0)} ${unit}`;

/** Another's time, and how many times as long that is as ours. */
const timeAgainst = (own: Result, other: Result) =>
  `${time(other.median_ms)} (${(other.median_ms / own.median_ms).toFixed(other.median_ms < 2 * own.median_ms ? 2 : 1)} x)`;

/** Others' times of a case: as they come, and after a slash, where it was measured, with V8's flag for wide vectors. */
function against(rows: readonly Result[], own: Result, engine: string): string {
  const found = [engine, `${engine}, wide`].flatMap((name) =>
    rows.filter((r) => r.suite === own.suite && r.case === own.case && r.engine === name),
  );
  return found.map((r) => timeAgainst(own, r)).join(' / ');
}

/** Everyone in a report but ourselves, each once: ourselves with narrow vectors, engines, native software. */
function othersIn(rows: readonly Result[]): string[] {
  const names = [...new Set(rows.map((r) => r.engine.replace(', wide', '')))].filter((e) => e !== OWN);
  const rank = (name: string) => (isOwn(name) ? 0 : isNative(name) ? 2 : 1);
  return names.sort((a, b) => rank(a) - rank(b));
}

function suiteTable(rows: readonly Result[]): string {
  const own = rows.filter((r) => r.engine === OWN);
  const others = othersIn(rows);
  if (rows[0].unit === 'bytes')
    return table(
      ['', 'engine', 'kB'],
      rows.map((r) => [r.case, r.engine, (r.rate! / 1000).toFixed(1)]),
    );
  return table(
    ['', OWN, 'rate', 'of the limit', ...others],
    own.map((r) => [
      ...[r.case, time(r.median_ms), rateText(r)],
      r.share_of_limit === null ? '' : `${(r.share_of_limit * 100).toFixed(0)} %`,
      ...others.map((name) => against(rows, r, name)),
    ]),
  );
}

/** Cases in which another engine, or native software, was faster. */
function losses({ results }: Report): string {
  const lost = (who: string, counts: (engine: string) => boolean) => {
    const list = results
      .filter((r) => r.engine === OWN && r.unit !== 'bytes')
      .flatMap((own) => {
        const faster = results.filter(
          (r) =>
            r.suite === own.suite &&
            r.case === own.case &&
            counts(r.engine) &&
            (r.rate !== null && r.unit !== 'ms' ? r.rate > own.rate! : r.median_ms < own.median_ms),
        );
        if (faster.length === 0) return [];
        const best = faster.reduce((a, b) => (b.median_ms < a.median_ms ? b : a));
        return [
          `${own.suite} ${own.case} (${best.engine}, ${(own.median_ms / best.median_ms).toFixed(2)} x as fast)`,
        ];
      });
    return list.length ? `${who} is faster: ${list.join('; ')}.\n` : '';
  };
  return [lost('Another engine', (e) => !isOwn(e) && !isNative(e)), lost('Native software', isNative)]
    .filter(Boolean)
    .join('\n');
}

export function runSection(report: Report): string {
  const { runtime, machine, date, command, limits, results } = report;
  const suites = [...new Set(results.map((r) => r.suite))];
  const limitText = Object.entries(limits)
    .map(([k, v]) => `${k.replace('_', '-')} ${v!.toFixed(0)} ${limitUnits[k as keyof typeof limitUnits]}`)
    .join(', ');
  const { build, threads } = results[0];
  return [
    `## ${[runtime, build].filter(Boolean).join(', ')}, ${threads} thread${threads === 1 ? '' : 's'}\n`,
    `${machine}; ${date}; \`${command}\`.${limitText ? ` Limits (medians): ${limitText}.` : ''}\n`,
    losses(report),
    ...suites.map((s) => `### ${s}\n\n${suiteTable(results.filter((r) => r.suite === s))}\n`),
  ]
    .filter(Boolean)
    .join('\n');
}

/** The README's: what most people want to know, from the run on one thread of the newest usual runtime. */
export function readmeTable(report: Report): string {
  const wanted: [suite: string, name: RegExp][] = [
    ['matmul', /^(64|256|1024)x\S+ A B$/],
    ['matmul_i8', /^(1024x|1x1024)/],
    ['activation', /^(softmax|gelu) /],
    ['train', /./],
    ['infer', /int8/],
    ['startup', /./],
  ];
  const rows = report.results.filter((r) => wanted.some(([s, name]) => r.suite === s && name.test(r.case)));
  const own = rows.filter((r) => r.engine === OWN);
  const others = othersIn(rows);
  const lines = own.map((r) => [
    `${r.suite}: ${r.case}`,
    time(r.median_ms),
    ...others.map((name) => against(rows, r, name)),
  ]);
  const { build, threads } = own[0];
  return `${report.machine}; ${report.runtime}, ${build}, ${threads} thread${threads === 1 ? '' : 's'}; ${report.date}:\n\n${table(['', OWN, ...others], lines)}`;
}

/** Text with what is between a pair of marks replaced. */
export function fill(text: string, mark: string, content: string): string {
  const [begin, end] = [`<!-- ${mark} -->`, `<!-- /${mark} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`no ${begin} .. ${end} to fill`);
  return `${text.slice(0, from + begin.length)}\n${content}\n${text.slice(to)}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const all = reports();
  const [benchmarks, readme] = ['docs/BENCHMARKS.md', 'README.md'].map(at);
  const sections = all.map(({ report }) => runSection(report)).join('\n');
  writeFileSync(benchmarks, fill(readFileSync(benchmarks, 'utf8'), 'runs', sections));
  const main = all.find(({ name }) => name === 'node24') ?? all[0];
  writeFileSync(readme, fill(readFileSync(readme, 'utf8'), 'figures', readmeTable(main.report)));
  for (const theme of ['light', 'dark'] as const)
    writeFileSync(at(`docs/benchmark-${theme}.svg`), picture(main.report, theme));
}
