import type { TrainingCost } from '../../src/index.ts';
import { bars } from '../report/chart.ts';
import { escapeHtml, table } from '../report/page.ts';
import * as out from './console.ts';
import type { Report, ReportDetails } from './report.ts';
import type { ServingCosts } from './serving.ts';

const us = (n: number) => out.seconds(n / 1e6);

/** "3.2 x less" or, where it does not pay, "1.3 x more". */
export function change(before: number, after: number): string {
  const times = before / after;
  if (times >= 0.95 && times <= 1.05) return 'the same';
  return times > 1 ? `${times.toFixed(times < 10 ? 1 : 0)} x less` : `${(1 / times).toFixed(1)} x more`;
}

/** Ways to answer, each with what it takes for one answer and against which other. */
export function ways({ f32_us_batch1, int8_us_batch1 }: Report['inference'], s: ServingCosts) {
  return [
    { name: 'f32, alone', us: f32_us_batch1, saves: '' },
    { name: 'int8, alone', us: int8_us_batch1, saves: `int8: ${change(f32_us_batch1, int8_us_batch1)}` },
    {
      name: `int8, ${s.callers} callers`,
      us: s.batched_us,
      saves: `batching: ${change(int8_us_batch1, s.batched_us)}`,
    },
    { name: 'int8, known', us: s.cached_us, saves: `caching: ${change(s.batched_us, s.cached_us)}` },
  ];
}

/** What int8, batching and caching each save, and after how many answers each way has taken as long as the training did. */
export async function savings(r: Report, { serving: s, students }: ReportDetails): Promise<string> {
  const rows = ways(r.inference, s);
  const chart = await bars(rows.map(({ name, us: each }) => ({ name, value: each, text: us(each) })));
  const list = table([
    ['', 'one answer', 'than the row above', 'break-even'],
    ...rows.map(({ name, us: each, saves }) => [
      escapeHtml(name),
      us(each),
      saves.replace(/^.*: /, ''),
      out.integer(Math.ceil((r.train.seconds * 1e6) / each)),
    ]),
  ]);
  const note =
    `${s.callers} callers asked for different images at once, ${s.meanBatch.toFixed(0)} went through together on average; ` +
    `then for the same again, ${out.percent(s.hitRate)} of which were known. Break-even: answers that take as long as the training did.`;
  const { accuracy, flops, us: small } = students;
  const student =
    `A student with ${out.percent(flops / r.cost.infer_flops)} of the arithmetic answers in ${us(small)} (f32): ${out.percent(accuracy.taught)} are ` +
    `right where this network taught it, ${out.percent(accuracy.alone)} where it learned alone.`;
  return `<div class="columns"><div>${chart}</div><div>${list}</div></div><p class="note after">${note} ${student}</p>`;
}

/** Where the training's time went, and what it came to. */
export async function trainingSpent(cost: TrainingCost): Promise<string> {
  const sections = Object.entries(cost.sections).filter(([, s]) => s.meanMs !== undefined);
  const total = sections.reduce((sum, [, s]) => sum + s.meanMs!, 0);
  const chart = await bars(
    sections.map(([name, s]) => ({
      name,
      value: s.meanMs!,
      text: `${out.seconds(s.meanMs! / 1000)}, ${((100 * s.meanMs!) / total).toFixed(0)} %`,
    })),
  );
  const { flops, bytes, flopsPerSecond, shareOfLimit, waitingMs, stepMs, snapshots, peakBytes, joules } =
    cost;
  const list = table([
    ['arithmetic', out.flops(flops)],
    ['memory moved', out.bytes(bytes)],
    ...(flopsPerSecond ? [['rate', `${out.flops(flopsPerSecond)}/s`]] : []),
    ...(shareOfLimit ? [["of the machine's limit", `${(100 * shareOfLimit).toFixed(0)} %`]] : []),
    ['in steps; waiting', `${out.seconds(stepMs / 1000)}; ${out.seconds(waitingMs / 1000)}`],
    ['snapshots against faults', `${snapshots.taken}, ${out.percent(snapshots.ms / stepMs)} of the steps`],
    ['memory at most', out.bytes(peakBytes)],
    ...(joules === undefined ? [] : [['energy, whole processor', `${joules.toFixed(0)} J`]]),
  ]);
  return `<div class="columns"><div>${chart}<p class="note">One step by section, of steps that were timed in parts.</p></div><div>${list}</div></div>`;
}
