import { bytesPerElement } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { sizeOf } from '../core/shape.ts';
import { activationRows } from './activation.ts';
import { binary } from './binary.ts';
import { compare } from './compare.ts';
import { conv } from './conv.ts';
import { convI8 } from './conv-i8.ts';
import { counts } from './count.ts';
import { dropout } from './dropout.ts';
import { elementwise } from './elementwise.ts';
import { fold } from './fold.ts';
import { gather } from './gather.ts';
import { layout } from './layout.ts';
import { loss } from './loss.ts';
import { matmul } from './matmul.ts';
import { norm } from './norm.ts';
import { normRows } from './norm-rows.ts';
import type { Cost, Op, TensorType } from './op.ts';
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

/** THE table: every op there is. Backends hold one row for each of these names. */
export const ops = {
  ...matmul,
  ...conv,
  ...binary,
  ...unary,
  ...compare,
  ...convI8,
  ...elementwise,
  ...activationRows,
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
  ...dropout,
  ...pool,
  ...optimizer,
  ...quantized,
  ...update,
} as const;

/** The name of an op in the table. */
export type OpName = keyof typeof ops;
export const opNames = Object.keys(ops) as OpName[];

/** Attributes of an op, by name. */
export type AttrsOf<N extends OpName> = (typeof ops)[N] extends Op<infer A> ? A : never;

/** The row of an op, its attributes untyped. */
export function opOf(name: OpName): Op {
  return (ops[name] as Op | undefined) ?? fail('invalid_argument', `there is no op named '${name}'`);
}

/** An op's product at these types, if it has one. */
export const productOf = ({
  op: name,
  inputs,
  attrs,
}: {
  op: OpName;
  inputs: readonly TensorType[];
  attrs: object;
}) => opOf(name).product?.(inputs, attrs);

/** What one run of an op costs: its arithmetic, and every input read and output written once. */
export function costOf(
  name: OpName,
  inputs: readonly TensorType[],
  outputs: readonly TensorType[],
  attrs: object,
): Cost {
  const row = opOf(name);
  if (row.alias) return { flops: 0, bytes: 0 };
  return {
    flops: row.flops(inputs, outputs, attrs),
    bytes: [...inputs, ...outputs].reduce((sum, t) => sum + sizeOf(t.shape) * bytesPerElement[t.dtype], 0),
  };
}
