import type { OpName } from '../src/ops/index.ts';
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
import type { Case, Family } from './kit/case.ts';
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

/** Bound and cases of every op: conformance, gradients and benchmarks are made from them. Forgetting one is a type error. */
export const conformance: Family<OpName> = {
  ...matmul,
  ...binary,
  ...unary,
  ...compare,
  ...elementwise,
  ...activation,
  ...reduce,
  ...fold,
  ...counts,
  ...scan,
  ...sort,
  ...layout,
  ...pad,
  ...gather,
  ...softmax,
  ...norm,
  ...normRows,
  ...loss,
  ...conv,
  ...convI8,
  ...dropout,
  ...optimizer,
  ...update,
  ...pool,
  ...quantized,
};

/** The cases of an op, their attributes untyped. */
export const casesOf = (op: OpName): readonly Case[] => conformance[op].cases;
