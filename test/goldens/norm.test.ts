import * as f from '../../src/functions/index.ts';
import { judge } from './kit.ts';

judge('norm', {
  batch_norm: ([x, weight, bias], attrs) => f.batchNorm(x, weight, bias, attrs).y,
});
