import type { CrossEntropyAttrs, IgnoreAttrs, loss as rows } from '../../../ops/loss.ts';
import { elementLosses } from '../../../ops/loss-elements.ts';
import { float, type Word, wordOf } from '../record.ts';
import { count, each, type Kernel, type Kernels, one, shader } from './kernel.ts';
import { CHUNK, lanesFor, reduceDispatches } from './reduce.ts';
import { rowwise } from './rows.ts';

const ignoring = ({ ignoreIndex }: IgnoreAttrs): Word[] => [
  Number(ignoreIndex !== undefined),
  (ignoreIndex ?? 0) >>> 0,
];
const more = (attrs: CrossEntropyAttrs): Word[] => [
  float(attrs.labelSmoothing),
  ...ignoring(attrs),
  Number(attrs.logChances ?? false),
];

/** KIND in the shaders: the order of the rows. */
const kinds = Object.keys(elementLosses).filter((name) => !name.endsWith('_backward'));

/** A loss may have one number, whatever its name. */
const elementLoss = (file: string, kind: keyof typeof elementLosses): Kernel =>
  one(({ inputs, outputs: [output], attrs }) => ({
    shader: { files: [file, 'loss_elements', 'math'], constants: { KIND: kinds.indexOf(kind) } },
    args: [
      ...[...inputs, output].map(wordOf),
      count(output),
      float((Object.values(attrs)[0] as number | undefined) ?? 0),
    ],
    workgroups: each(count(output)),
  }));
const forward = (kind: keyof typeof elementLosses) => elementLoss('loss', kind);
const backward = (kind: keyof typeof elementLosses) => elementLoss('loss_backward', kind);

export const loss: Kernels<typeof rows> = {
  cross_entropy: rowwise('cross_entropy', { more, empty: true }),
  cross_entropy_backward: rowwise('cross_entropy_backward', { more, operand: 1 }),
  target_weights: one(({ inputs: [targets, weights], outputs: [y], attrs }) => ({
    shader: shader('target_weights', { WEIGHTS: weights ? 1 : 0 }),
    args: [
      ...[targets, weights ?? targets, y].map(wordOf),
      ...[count(y), weights ? count(weights) : 0, ...ignoring(attrs)],
    ],
    workgroups: each(count(y)),
  })),
  mean_over: {
    encode({ inputs: [x, w], outputs: [y, total] }, { scratch }) {
      // Of many the sums are made first, and divided then.
      const many = Math.max(count(x), count(w)) > CHUNK;
      const terms = [x, w].map((of) => {
        if (!many) return { at: wordOf(of), count: count(of), before: [] };
        const sum = { dtype: of.dtype, shape: [], offset: 4 * scratch.lend(1) };
        const sizes = { outer: 1, count: count(of), inner: 1 };
        return { at: wordOf(sum), count: 1, before: reduceDispatches(0, sizes, of, sum, scratch) };
      });
      const lanes = lanesFor(Math.max(...terms.map((t) => t.count)));
      return [
        ...terms.flatMap(({ before }) => before),
        {
          shader: { files: ['mean_over', 'sums', 'workgroup'], constants: { LANES: lanes } },
          args: [...terms.map(({ at }) => at), wordOf(y), wordOf(total), ...terms.map((t) => t.count)],
          workgroups: 1,
        },
      ];
    },
  },
  mean_over_backward: one(({ inputs: [dy, total], outputs: [dx] }) => ({
    shader: shader('mean_over_backward'),
    args: [...[dy, total, dx].map(wordOf), count(dx)],
    workgroups: each(count(dx)),
  })),
  mse: forward('mse'),
  mse_backward: backward('mse'),
  bce_with_logits: forward('bce_with_logits'),
  bce_with_logits_backward: backward('bce_with_logits'),
  huber: forward('huber'),
  huber_backward: backward('huber'),
  l1: forward('l1'),
  l1_backward: backward('l1'),
  bce: forward('bce'),
  bce_backward: backward('bce'),
  kl_div: forward('kl_div'),
  kl_div_backward: backward('kl_div'),
  kl_div_log: forward('kl_div_log'),
  kl_div_log_backward: backward('kl_div_log'),
  poisson_nll: forward('poisson_nll'),
  poisson_nll_backward: backward('poisson_nll'),
  poisson_nll_rate: forward('poisson_nll_rate'),
  poisson_nll_rate_backward: backward('poisson_nll_rate'),
  hinge_embedding: forward('hinge_embedding'),
  hinge_embedding_backward: backward('hinge_embedding'),
  soft_margin: forward('soft_margin'),
  soft_margin_backward: backward('soft_margin'),
  sigmoid_focal: forward('sigmoid_focal'),
  sigmoid_focal_backward: backward('sigmoid_focal'),
};
