import type { AttrsOf, OpName } from '../../../ops/index.ts';
import type { Unsupported } from '../../backend.ts';
import { activation } from './activation.ts';
import { binary } from './binary.ts';
import { compare } from './compare.ts';
import { conv } from './conv.ts';
import { convI8 } from './conv-i8.ts';
import { counts } from './count.ts';
import { dropout } from './dropout.ts';
import { elementwise } from './elementwise.ts';
import { fold } from './fold.ts';
import { gather } from './gather.ts';
import type { Kernel } from './kernel.ts';
import { layout } from './layout.ts';
import { loss } from './loss.ts';
import { matmul } from './matmul.ts';
import { norm } from './norm.ts';
import { normRows } from './norm-rows.ts';
import { optimizer } from './optimizer.ts';
import { pad } from './pad.ts';
import { pool } from './pool.ts';
import { quantized } from './quantized.ts';
import { reduce } from './reduce.ts';
import { scan } from './scan.ts';
import { softmax } from './softmax.ts';
import { sort } from './sort.ts';
import { unary } from './unary.ts';
import { update } from './update.ts';

/** Every op, by name: how it becomes records, or why it can't. */
export const kernels: { readonly [N in OpName]: Kernel<AttrsOf<N>> | Unsupported } = {
  ...activation,
  ...binary,
  ...compare,
  ...conv,
  ...convI8,
  ...dropout,
  ...elementwise,
  ...gather,
  ...layout,
  ...pad,
  ...loss,
  ...matmul,
  ...norm,
  ...normRows,
  ...optimizer,
  ...pool,
  ...quantized,
  ...reduce,
  ...fold,
  ...counts,
  ...scan,
  ...sort,
  ...softmax,
  ...unary,
  ...update,
};

/** The kernel of an op, its attributes untyped. */
export const kernelOf = (name: OpName): Kernel | Unsupported => kernels[name];
