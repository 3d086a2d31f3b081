import type { CrossEntropyAttrs, loss as rows } from '../../../ops/loss.ts';
import { float, type Word, wordOf } from '../record.ts';
import { count, each, type Kernel, type Kernels, one } from './kernel.ts';
import { rowwise } from './rows.ts';

const more = ({ labelSmoothing }: CrossEntropyAttrs): Word[] => [float(labelSmoothing)];

/** KIND in loss.wgsl and loss_backward.wgsl. */
const kinds = { mse: 0, bce_with_logits: 1, huber: 2 };

const elementLoss = (file: string, kind: keyof typeof kinds): Kernel<{ delta?: number }> =>
  one<{ delta?: number }>(({ inputs, outputs: [output], attrs }) => ({
    shader: { files: [file, 'math'], constants: { KIND: kinds[kind] } },
    args: [...inputs.map(wordOf), wordOf(output), count(output), float(attrs.delta ?? 0)],
    workgroups: each(count(output)),
  }));

export const loss: Kernels<typeof rows> = {
  cross_entropy: rowwise('cross_entropy', { more, empty: true }),
  cross_entropy_backward: rowwise('cross_entropy_backward', { more, operand: 1 }),
  mse: elementLoss('loss', 'mse'),
  mse_backward: elementLoss('loss_backward', 'mse'),
  bce_with_logits: elementLoss('loss', 'bce_with_logits'),
  bce_with_logits_backward: elementLoss('loss_backward', 'bce_with_logits'),
  huber: elementLoss('loss', 'huber'),
  huber_backward: elementLoss('loss_backward', 'huber'),
};
