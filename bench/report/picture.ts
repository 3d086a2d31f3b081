/** The README's picture of the benchmark, from a run in bench/results/: how fast others are beside biphase, case by case. */
import type { Result } from '../run/case.ts';
import { isNative, isOwn, OWN } from '../run/comparable.ts';
import { time } from '../run/measure.ts';
import type { Report } from './report.ts';

export type Theme = 'light' | 'dark';

const themes = {
  light: { ink: '#1f2328', faint: '#59636e', own: '#4051d6', engine: '#c9762b', native: '#59636e' },
  dark: { ink: '#f0f6fc', faint: '#9198a1', own: '#8c9bff', engine: '#f0883e', native: '#9198a1' },
} as const;

/** What most people want to know: a training step, a large product in f32 and in int8, one sample served. */
const wanted: readonly (readonly [suite: string, name: RegExp, title: string])[] = [
  ['train', /784-256-128-10/, 'Training step: MLP 784-256-128-10, batch 128, Adam'],
  ['matmul', /^1024x\S+ A B$/, 'f32 product: 1024 x 1024 x 1024'],
  ['matmul_i8', /^1024x/, 'int8 product: 1024 x 1024 x 1024'],
  ['infer', /784-256-128-10 int8, batch 1$/, 'One sample served: MLP 784-256-128-10, int8'],
];

const [WIDTH, LEFT, BAR, ROW, TITLE, TOP] = [760, 210, 400, 22, 34, 44];
const escaped = (text: string) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');

/** An SVG document. A bar is a time: the shorter, the faster; each case has a scale of its own. */
export function picture({ machine, runtime, date, results }: Report, theme: Theme): string {
  const colours = themes[theme];
  const text = (x: number, y: number, words: string, colour: string = colours.ink, more = '') =>
    `<text x="${x}" y="${y}" fill="${colour}" ${more}>${escaped(words)}</text>`;
  const colourOf = ({ engine }: Result) =>
    isOwn(engine) ? colours.own : isNative(engine) ? colours.native : colours.engine;
  const parts: string[] = [];
  let y = TOP;
  for (const [suite, name, title] of wanted) {
    const rows = results.filter((r) => r.suite === suite && name.test(r.case));
    const own = rows.find((r) => r.engine === OWN);
    if (!own) continue;
    parts.push(text(16, y + 20, title, colours.ink, 'font-weight="600"'));
    y += TITLE;
    // A time ten times as long as ours is drawn cut off: it would make all others too short to see.
    const longest = Math.min(10 * own.median_ms, Math.max(...rows.map((r) => r.median_ms)));
    for (const row of [...rows].sort((a, b) => a.median_ms - b.median_ms)) {
      const width = Math.max(2, (BAR * Math.min(row.median_ms, longest)) / longest);
      const times = row === own ? '' : ` (${(row.median_ms / own.median_ms).toFixed(2)} x)`;
      parts.push(
        text(LEFT - 10, y + 15, row.engine, row === own ? colours.ink : colours.faint, 'text-anchor="end"'),
        `<rect x="${LEFT}" y="${y + 3}" width="${width.toFixed(1)}" height="${ROW - 6}" rx="3" fill="${colourOf(row)}"${row.median_ms > longest ? ' opacity="0.5"' : ''}/>`,
        text(LEFT + width + 8, y + 15, `${time(row.median_ms)}${times}`),
      );
      y += ROW;
    }
    y += 10;
  }
  const { threads } = results[0];
  const where =
    `${machine}; ${runtime}, ${threads} thread${threads === 1 ? '' : 's'}; ${date}. ` +
    "wide: with V8's flag for vectors of 256 bits, which biphase sets itself; narrow: without it";
  const height = y + 8;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="Times of biphase beside other engines and native software">
${text(16, 18, 'Medians; the shorter the bar, the faster; in brackets, times as long as biphase', colours.faint)}
${text(16, 36, where, colours.faint, 'font-size="11"')}
${parts.join('\n')}
</svg>
`;
}
