import * as f from '../../src/functions/index.ts';
import { judge } from './kit.ts';

type Given = { size: f.Sizes; options: object };

judge('pool', {
  maxPool1d: ([x], { size, options }: Given) => f.maxPool1d(x, size, options),
  maxPool2d: ([x], { size, options }: Given) => f.maxPool2d(x, size, options),
  avgPool1d: ([x], { size, options }: Given) => f.avgPool1d(x, size, options),
  avgPool2d: ([x], { size, options }: Given) => f.avgPool2d(x, size, options),
  adaptiveAvgPool2d: ([x], { size }: Given) => f.adaptiveAvgPool2d(x, size),
  adaptiveMaxPool2d: ([x], { size }: Given) => f.adaptiveMaxPool2d(x, size),
});
