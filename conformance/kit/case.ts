import type { AttrsOf, OpName } from '../../src/ops/index.ts';
import type { Bound } from './bound.ts';
import { type TensorSpec, type TensorText, tensor } from './tensor.ts';

/** One use of an op: what goes in. What should come out is the reference's business. */
export interface Case<A = object> {
  readonly inputs: readonly TensorSpec[];
  readonly attrs: A;
  /** Inputs given as constants of the plan, which backends may repack. */
  readonly constants?: readonly number[];
  /** Values at which derivatives don't exist or overflow: left out of the gradient checks. */
  readonly noGradient?: boolean;
}

/** How an op is judged on every backend. */
export interface Conformance<A = object> {
  /** How far from the reference a backend may be. */
  readonly bound: Bound;
  readonly cases: readonly Case<A>[];
  /** Inputs that have no gradient by definition. */
  readonly withoutGradient?: readonly number[];
}

/** The ops of a family, each judged: forgetting one is a type error. */
export type Family<N extends OpName> = { readonly [K in N]: Conformance<AttrsOf<K>> };

export type Operand = TensorText | TensorSpec;
const specOf = (operand: Operand): TensorSpec => (typeof operand === 'string' ? tensor(operand) : operand);

/** A case: its inputs, then the attributes of an op that has any. `use('f32 7x5', 'i32 9 <7', { axis: 0 })`. */
export function use(...operands: Operand[]): Case;
export function use<const A extends object>(...given: [...operands: Operand[], attrs: A]): Case<A>;
export function use(...given: (Operand | object)[]): Case {
  const last = given.at(-1);
  const attrs =
    typeof last === 'object' && !('fill' in last && 'shape' in last && typeof last.fill === 'function')
      ? last
      : undefined;
  return {
    inputs: (attrs ? given.slice(0, -1) : given).map((operand) => specOf(operand as Operand)),
    attrs: attrs ?? {},
  };
}

/** Each of these operands, as a case with these attributes. */
export const usesOf = <const A extends object>(operands: readonly Operand[], attrs: A): Case<A>[] =>
  operands.map((operand) => use(operand, attrs));

/** The same cases, left out of the gradient checks. */
export const noGradient = <A>(...cases: Case<A>[]): Case<A>[] =>
  cases.map((c) => ({ ...c, noGradient: true }));

/** The same case, with these inputs as constants of the plan. */
export const constant = <A>(constants: readonly number[], c: Case<A>): Case<A> => ({ ...c, constants });
