import type { BenchCase } from '../run/case.ts';
import { conv } from './conv.ts';
import { infer, train } from './models.ts';
import { activation, matmul, matmulI8, movers, norm, optimizer } from './ops.ts';
import { reduce } from './reduce.ts';

/** Suites of cases that an engine runs, by name. `quick`: fewer and smaller ones. */
export const suites: Record<string, (quick: boolean) => BenchCase[]> = {
  matmul,
  matmul_i8: matmulI8,
  conv,
  activation,
  optimizer,
  movers,
  norm,
  reduce,
  train,
  infer,
};

export interface Choice {
  /** Fewer and smaller cases. */
  readonly quick: boolean;
  /** Only cases whose name has this in it. */
  readonly only?: string;
}

/** The cases of some suites; names of other suites have none. */
export const casesOf = (wanted: readonly string[], { quick, only = '' }: Choice): BenchCase[] =>
  wanted.flatMap((name) => suites[name]?.(quick) ?? []).filter((c) => c.name.includes(only));
