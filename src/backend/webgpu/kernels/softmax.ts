import type { softmax as rows } from '../../../ops/softmax.ts';
import type { Kernels } from './kernel.ts';
import { rowwise } from './rows.ts';

export const softmax: Kernels<typeof rows> = {
  softmax: rowwise('softmax'),
  softmax_backward: rowwise('softmax_backward'),
  log_softmax: rowwise('log_softmax'),
  log_softmax_backward: rowwise('log_softmax_backward'),
};
