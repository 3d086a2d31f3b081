import { bars } from '../report/chart.ts';
import { card, escapeHtml, figure, pageOf, table } from '../report/page.ts';
import { confusion, lossCurve, spending } from './charts.ts';
import * as out from './console.ts';
import { type Digits, PIXELS, SIDE } from './mnist.ts';
import type { Report, ReportDetails } from './report.ts';
import { savings, trainingSpent } from './savings.ts';

const us = (n: number) => out.seconds(n / 1e6);

/** A digit as an SVG of its pixels: dark ink on the page's own paper. */
function drawing(images: Uint8Array, index: number): string {
  const rects: string[] = [];
  for (let p = 0; p < PIXELS; p++) {
    const ink = images[index * PIXELS + p];
    if (ink > 8)
      rects.push(
        `<rect x="${p % SIDE}" y="${Math.floor(p / SIDE)}" width="1.02" height="1.02" opacity="${(ink / 255).toFixed(2)}"/>`,
      );
  }
  return `<svg viewBox="0 0 ${SIDE} ${SIDE}" fill="currentColor">${rects.join('')}</svg>`;
}

/** Some of the images that the int8 model read wrongly, spread over all of them. */
function misread({ images, labels }: Digits, answers: Uint8Array): string {
  const wrong = [...labels.keys()].filter((i) => labels[i] !== answers[i]);
  if (wrong.length === 0) return `<p>None of ${out.integer(labels.length)} test images was misread.</p>`;
  const every = Math.max(1, Math.floor(wrong.length / 24));
  const shown = wrong.filter((_, i) => i % every === 0).slice(0, 24);
  const tiles = shown.map(
    (i) =>
      `<figure>${drawing(images, i)}<figcaption>${labels[i]} → <em>${answers[i]}</em></figcaption></figure>`,
  );
  return `<p>${wrong.length} of ${out.integer(labels.length)} test images were misread by the int8 model. ${shown.length} of them, with what each is and <em>what it was taken for</em>:</p><div class="digits">${tiles.join('')}</div>`;
}

const style = `
.digits { display: grid; grid-template-columns: repeat(auto-fill, minmax(78px, 1fr)); gap: 12px; }
figure { margin: 0; text-align: center; background: var(--soft); border-radius: 10px; padding: 8px 6px 6px; }
figure svg { width: 56px; height: 56px; margin: 0 auto 4px; }
figcaption { font-size: 14px; }
em { font-style: normal; font-weight: 600; color: light-dark(#d42a2a, #ff7b7b); }
`;

/** How int8 compares with f32, as measured: it need not win everywhere. */
function faster({
  f32_us_batch1,
  int8_us_batch1,
  f32_us_batch64,
  int8_us_batch64,
}: Report['inference']): string {
  const than = (f32: number, int8: number) =>
    f32 >= int8 ? `${(f32 / int8).toFixed(1)} times as fast` : `${(int8 / f32).toFixed(1)} times as slow`;
  return `int8 is ${than(f32_us_batch64, int8_us_batch64)} as f32 in batches of 64, and ${than(f32_us_batch1, int8_us_batch1)} alone.`;
}

/** The whole report as one page that needs nothing else: no network, no script. */
export async function page(r: Report, d: ReportDetails): Promise<string> {
  const { train, inference, cost, accuracy, size, finetune } = r;
  const stepsPerEpoch = train.steps / d.epochs;
  const figures = [
    figure(out.percent(accuracy.f32), 'f32 test accuracy'),
    figure(out.percent(accuracy.int8), 'int8 test accuracy'),
    figure(out.seconds(train.seconds), `training, ${d.epochs} epoch${d.epochs === 1 ? '' : 's'}`),
    figure(out.integer(Math.round(train.samples_per_second)), 'images a second in training'),
    figure(us(inference.int8_us_batch1), 'one int8 inference, alone'),
    figure(
      `${(size.f32_bytes / size.int8_bytes).toFixed(1)} x`,
      `smaller: ${out.bytes(size.f32_bytes)} to ${out.bytes(size.int8_bytes)}`,
    ),
  ];
  const costs = table([
    ['', 'training, once', 'one inference'],
    ['arithmetic', out.flops(cost.train_flops), out.flops(cost.infer_flops)],
    ['memory moved', out.bytes(d.trainBytes), out.bytes(d.inferBytes)],
    [
      'time',
      out.seconds(train.seconds),
      `${us(inference.f32_us_batch1)} f32, ${us(inference.int8_us_batch1)} int8`,
    ],
    [
      'break-even',
      `${out.integer(cost.breakeven_inferences)} inferences`,
      `${out.integer(d.breakEvenByTime)} by time, int8`,
    ],
  ]);
  const lines = await spending(cost.train_flops, cost.infer_flops, cost.breakeven_inferences);
  const speedBars = await bars([
    { name: 'f32, alone', value: inference.f32_us_batch1, text: us(inference.f32_us_batch1) },
    { name: 'int8, alone', value: inference.int8_us_batch1, text: us(inference.int8_us_batch1) },
    { name: 'f32, 64 at a time', value: inference.f32_us_batch64, text: us(inference.f32_us_batch64) },
    { name: 'int8, 64 at a time', value: inference.int8_us_batch64, text: us(inference.int8_us_batch64) },
  ]);
  const tuneBars = await bars([
    { name: 'before', value: finetune.before, text: out.percent(finetune.before) },
    { name: 'after', value: finetune.after, text: out.percent(finetune.after) },
  ]);
  const { backends, identical } = r.bit_identical;
  const bitsText =
    backends.length === 1
      ? `There was no other backend than ${escapeHtml(backends[0])} to compare int8 bits with.`
      : `int8 outputs are <strong>${identical ? 'the same bits' : 'DIFFERENT bits'}</strong> on ${backends.map(escapeHtml).join(', ')}, over ${out.integer(d.images)} images.`;
  const sections = [
    card(
      'Loss',
      `${await lossCurve(d.losses, stepsPerEpoch)}<p class="note">${out.integer(train.steps)} steps of ${d.batchSize} images at ${out.integer(Math.round(train.samples_per_second))} images a second; last loss ${train.final_loss.toFixed(4)}. The bold line is the running mean.</p>`,
    ),
    card('Which digit was taken for which', await confusion(d.digits.labels, d.answers)),
    card(
      'Two cost structures',
      `<p>Training is paid once; inference is paid on every call. After ${out.integer(cost.breakeven_inferences)} calls, serving has done more arithmetic than training did.</p><div class="columns"><div>${costs}</div><div>${lines}</div></div>`,
      true,
    ),
    card('Training: where the time went', await trainingSpent(d.training), true),
    card('Serving: what one answer takes, and what saves it', await savings(r, d), true),
    card('Serving: time for one image', `${speedBars}<p class="note">${faster(inference)}</p>`),
    card(
      'int8 and f32',
      `${table([
        ['', 'f32', 'int8'],
        ['test accuracy', out.percent(accuracy.f32), out.percent(accuracy.int8)],
        ['size', out.bytes(size.f32_bytes), out.bytes(size.int8_bytes)],
      ])}<p class="after">${bitsText}</p><p class="note">int8 and f32 give the same answer to ${out.percent(accuracy.agreement)} of the test images.</p>`,
    ),
    card(
      'Fine-tuning: accuracy on turned digits',
      `${tuneBars}<p class="note">A short training run from the frozen weights, on digits turned by 25 degrees. The frozen original ${finetune.original_unchanged ? 'did not change by a bit' : 'changed'}.</p>`,
    ),
    card(
      'Run',
      table([
        ['backend', escapeHtml(r.backend)],
        ['build', escapeHtml(r.build)],
        ['threads', `${r.threads}`],
        ['seed', `${r.seed}`],
        ['images', `${out.integer(r.dataset.train)} to train on, ${out.integer(r.dataset.test)} to test on`],
      ]),
    ),
    card('Misread digits', misread(d.digits, d.answers), true),
  ];
  return pageOf({
    title: 'biphase: digits',
    heading: 'Two phases, one model',
    lead: `A 784-256-128-10 network trained on ${out.integer(r.dataset.train)} handwritten digits, frozen, quantized to int8 and served by biphase on ${escapeHtml(r.backend)}.`,
    style,
    figures,
    sections,
  });
}
