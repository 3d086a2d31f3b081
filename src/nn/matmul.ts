import { flag, whole } from '../core/checks.ts';
import { optionsOf } from '../core/options.ts';
import * as f from '../functions/index.ts';
import type { Tensor } from '../graph/trace.ts';
import { Parameter } from '../graph/variable.ts';
import * as init from './init.ts';
import { layer, needed } from './layer.ts';
import { type Module, module } from './module.ts';

/** Options of linear(). */
export interface LinearOptions {
  /** Add a learned bias; on by default. */
  readonly bias?: boolean;
}

const check = optionsOf<LinearOptions>('linear', { bias: flag });

/**
 * y = x W^T + b, (..., inFeatures) -> (..., outFeatures), initialised like torch.nn.Linear:
 * uniform in +-1/sqrt(inFeatures). The weight is (outFeatures, inFeatures), as in PyTorch's state dict.
 */
export const linear: (inFeatures: number, outFeatures: number, options?: LinearOptions) => Module = layer(
  'linear',
  { inFeatures: needed<number>(whole(1)), outFeatures: needed<number>(whole(1)), bias: true },
  ({ inFeatures, outFeatures, bias }) => {
    const uniform = init.uniform(1 / Math.sqrt(inFeatures));
    const weight = new Parameter([outFeatures, inFeatures], uniform);
    if (!bias) return module({ weight }, (x, p) => product(x, p.weight));
    return module({ weight, bias: new Parameter([outFeatures], uniform) }, (x, p) =>
      f.add(product(x, p.weight), p.bias),
    );
  },
  (make) => (inFeatures, outFeatures, options) => make({ ...check(options), inFeatures, outFeatures }),
);

/** x W^T for an input of any rank from 1. */
function product(x: Tensor, weight: Parameter): Tensor {
  if (x.shape.length === 1) return f.reshape(product(f.reshape(x, [1, -1]), weight), [weight.shape[0]]);
  return f.matmul(x, weight, { transposeB: true });
}
