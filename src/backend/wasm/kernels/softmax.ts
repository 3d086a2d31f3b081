import * as records from '../../../generated/records.ts';
import { type softmax as rows, rowsOf } from '../../../ops/softmax.ts';
import { type Kernel, type Kernels, one } from './kernel.ts';

const forward = (record: typeof records.softmax): Kernel =>
  one(({ inputs: [x], outputs: [y] }, at) => record({ ...at({ x, y }), ...rowsOf(x.shape) }));

const backward = (record: typeof records.softmaxBackward): Kernel =>
  one(({ inputs: [dy, y], outputs: [dx] }, at) => record({ ...at({ dy, y, dx }), ...rowsOf(dy.shape) }));

export const softmax: Kernels<typeof rows> = {
  softmax: forward(records.softmax),
  softmax_backward: backward(records.softmaxBackward),
  log_softmax: forward(records.logSoftmax),
  log_softmax_backward: backward(records.logSoftmaxBackward),
};
