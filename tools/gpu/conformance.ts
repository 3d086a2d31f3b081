import { casesOf } from '../../conformance/index.ts';
import { problemsOfCase } from '../../conformance/judge/conform.ts';
import { fewCases, type ProductOp } from '../../conformance/judge/product-cases.ts';
import type { Case } from '../../conformance/kit/case.ts';
import type { Backend } from '../../src/backend/backend.ts';
import { createWebgpuBackend } from '../../src/backend/webgpu/backend.ts';
import { type ConfigName, configs } from '../../src/backend/webgpu/products.ts';
import { type OpName, opNames } from '../../src/ops/index.ts';
import type { Budget } from './budget.ts';

export interface Conformance {
  /** Cases that were compared with the reference. */
  cases: number;
  /** Op or configuration, and what is wrong; empty if all is well. */
  readonly problems: string[];
}

/** What one case takes on a device that compiles slowly, in seconds. */
const ABOUT = 2;

/** Every op's cases on the adapter, then every configuration of products, forced; as far as the time goes. `into` grows. */
export async function conformance(
  gpu: GPU,
  into: Conformance,
  { only, budget, print }: { only: string; budget: Budget; print(line: string): void },
): Promise<void> {
  const judge = async (backend: Backend, name: string, op: OpName, given: readonly Case[]) => {
    if (!`${name} `.includes(only.split(' ')[0])) return;
    const before = into.problems.length;
    for (const [i, c] of given.entries()) {
      if (!budget.fits(`conformance of ${name}: ${given.length - i} of ${given.length} cases`, ABOUT)) break;
      const found = await problemsOfCase(backend, op, c).catch((error: Error) => [error.message]);
      into.cases++;
      into.problems.push(...found.map((p) => `${name}, case ${i}: ${p}`));
    }
    if (into.problems.length > before) print(`  ${name}: ${into.problems.length - before} wrong`);
  };
  const backend = await createWebgpuBackend({ gpu });
  for (const op of opNames) await judge(backend, op, op, casesOf(op));
  backend.dispose();
  for (const name of Object.keys(configs) as ConfigName[]) {
    const forced = await createWebgpuBackend({ gpu, force: configs[name] });
    // int8 has no product in parts.
    for (const op of ['matmul', 'linear_backward', 'matmul_i8'] as ProductOp[])
      if (op !== 'matmul_i8' || configs[name].parts === 1)
        await judge(forced, `${op} by ${name}`, op, fewCases(op, configs[name]));
    forced.dispose();
  }
}
