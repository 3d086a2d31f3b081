import { activationCheck } from '../backend/wasm/activation.ts';
import { loadChecks } from '../backend/wasm/load.ts';
import { tileChecks } from '../backend/wasm/tiles.ts';
import { flag, object, oneOf, real, required, whole } from '../core/checks.ts';
import { type Checks, optionsOf } from '../core/options.ts';
import type * as options from './options.ts';

const activationChecks: Checks<options.ActivationOptions> = {
  ...{ slope: real(), alpha: real(), approximate: oneOf('none', 'tanh') },
};
const quantChecks: Checks<options.QuantOptions> = {
  scale: required(real()),
  zeroPoint: required(whole(-128, 255)),
};
const size = required(whole(0));
const stride = whole(0);

/** The options of each call. */
export const check = {
  loadKernels: optionsOf<options.KernelOptions>('loadKernels', {
    ...{ ...loadChecks, memoryBytes: real(), tiles: tileChecks, wide: flag },
  }),
  matmul: optionsOf<options.MatmulOptions>('matmul', {
    ...{ m: size, n: size, k: size, lda: stride, ldb: stride, ldc: stride },
    ...{ transposeA: flag, transposeB: flag, bias: object, activation: activationCheck, ...activationChecks },
  }),
  packWeights: optionsOf<Pick<options.PackedWeights, 'n' | 'k'>>('packWeights', { n: size, k: size }),
  matmulInt8: optionsOf<options.MatmulInt8Options>('matmulInt8', {
    ...{ m: size, bias: required(object), multiplier: required(object), shift: required(real()) },
    ...{ zeroPoint: real(), min: real(), max: real(), table: object },
  }),
  activation: optionsOf<options.ActivationOptions>('activation', activationChecks),
  softmax: optionsOf<options.RowOptions>('softmax', { rows: size, n: size }),
  quantize: optionsOf<options.QuantOptions>('quantize', quantChecks),
  dequantize: optionsOf<options.QuantOptions>('dequantize', quantChecks),
};
