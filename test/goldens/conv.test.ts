import * as f from '../../src/functions/index.ts';
import { judge } from './kit.ts';

judge('conv', {
  conv1d: ([x, weight, bias], how) => f.conv1d(x, weight, bias, how),
  conv2d: ([x, weight, bias], how) => f.conv2d(x, weight, bias, how),
  convTranspose1d: ([x, weight, bias], how) => f.convTranspose1d(x, weight, bias, how),
  convTranspose2d: ([x, weight, bias], how) => f.convTranspose2d(x, weight, bias, how),
});
