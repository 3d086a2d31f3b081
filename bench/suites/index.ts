import type { BenchCase } from '../case.ts';
import { infer, train } from './models.ts';
import { activation, matmul, matmulI8, optimizer } from './ops.ts';

/** Suites of cases that an engine runs, by name. `quick`: fewer and smaller ones. */
export const suites: Record<string, (quick: boolean) => BenchCase[]> = {
  matmul,
  matmul_i8: matmulI8,
  activation,
  optimizer,
  train,
  infer,
};
