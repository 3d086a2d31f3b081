import { whole } from '../core/checks.ts';
import * as f from '../functions/activation.ts';
import { Parameter } from '../graph/variable.ts';
import { layer, optional } from './layer.ts';
import { type Module, module } from './module.ts';

/** The first half of an axis times the sigmoid of the second (Dauphin et al. 2017). */
export const glu: (axis?: number) => Module = layer(
  'glu',
  { axis: -1 },
  ({ axis }) =>
    (x) =>
      f.glu(x, axis),
);
/** x where it is positive, else times a slope that is learned: one for all, or one for each channel (axis 1) (He et al. 2015). */
export const prelu: (channels?: number, initial?: number) => Module = layer(
  'prelu',
  { channels: optional(1, whole(1)), initial: 0.25 },
  ({ channels, initial }) =>
    module({ weight: new Parameter([channels], (_, data) => void data.fill(initial)) }, (x, p) =>
      f.prelu(x, p.weight),
    ),
  (make) => (channels?: number, initial?: number) => make({ channels, initial }),
);
