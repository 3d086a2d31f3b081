import type { Result } from '../../bench/run/case.ts';
import { OWN } from '../../bench/run/comparable.ts';
import { time } from '../../bench/run/measure.ts';
import type { Conformance } from './conformance.ts';

export interface Found {
  readonly date: string;
  readonly machine: string;
  readonly runtime: string;
  readonly adapter?: object;
  readonly conformance?: Conformance;
  readonly results: readonly Result[];
  readonly tuning: Readonly<Record<string, string>>;
  /** Why it ended before its end. */
  readonly stopped?: string;
  /** What there was no time for. */
  readonly missing: readonly string[];
}

/** What a person wants to know first, in Markdown. */
export function summary(found: Found): string {
  const { adapter, conformance, results, tuning, stopped, missing } = found;
  const rows = results
    .filter((r) => r.engine === OWN)
    .map((own) => {
      const peers = results.filter((r) => r.suite === own.suite && r.case === own.case && r.engine !== OWN);
      const beside = peers.map((p) => `${p.engine} ${(p.median_ms / own.median_ms).toFixed(1)} x`).join(', ');
      const rate = own.rate === null ? '' : `${own.rate.toFixed(own.rate < 100 ? 1 : 0)} ${own.unit}`;
      return `| ${own.suite} | ${own.case} | ${time(own.median_ms)} | ${rate} | ${beside} |`;
    });
  const section = (title: string, lines: readonly string[]) =>
    lines.length ? ['', `## ${title}`, '', ...lines] : [];
  return [
    '# biphase on a GPU',
    '',
    `${found.machine}; ${found.runtime}; ${found.date}`,
    `Adapter: ${adapter ? JSON.stringify(adapter) : 'none'}`,
    ...(stopped ? [`Stopped: ${stopped}`] : []),
    ...(conformance
      ? [`Conformance: ${conformance.cases} cases, ${conformance.problems.length} wrong`]
      : ['Conformance: not run']),
    ...section(
      'Wrong',
      (conformance?.problems ?? []).map((p) => `- ${p.split('\n').join('\n  ')}`),
    ),
    ...section(
      'Benchmark',
      rows.length ? ['| suite | case | time | rate | peers take |', '|---|---|---|---|---|', ...rows] : [],
    ),
    ...section(
      'Kernels chosen',
      Object.entries(tuning).map(([key, value]) => `- ${key}: ${value}`),
    ),
    ...section(
      'No time for',
      missing.map((m) => `- ${m}`),
    ),
    '',
  ].join('\n');
}
