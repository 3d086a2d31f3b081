import type { Backend } from '../../src/backend/backend.ts';
import { ReferenceBackend } from '../../src/backend/reference/backend.ts';
import { type OpName, opNames } from '../../src/ops/index.ts';
import { casesOf } from '../index.ts';
import type { Case } from '../kit/case.ts';
import { make } from '../kit/tensor.ts';
import { compare } from './compare.ts';
import { runCase } from './run-case.ts';

/** What is wrong with one case of an op on a backend, in words: results, writes elsewhere, inputs that changed. */
export async function problemsOfCase(backend: Backend, op: OpName, c: Case): Promise<string[]> {
  const [want, got] = [await runCase(new ReferenceBackend(), op, c), await runCase(backend, op, c)];
  const inputs = c.inputs.map((spec, i) => ({ ...spec, data: make(spec, 100 + i) }));
  const wrong = want.outputs.flatMap((w, i) => compare(op, inputs, c.attrs, w, got.outputs[i]));
  const stray = got.strayWrites.map((s) => `stray write: ${s}`);
  const changed = got.changedInputs.map((i) => `input ${i} changed`);
  return [...wrong, ...stray, ...changed];
}

/** The cases of an op (those that `wanted` picks) that fail on a backend, each with what is wrong. */
export async function problemsOf(
  backend: Backend,
  op: OpName,
  wanted: (c: Case) => boolean = () => true,
): Promise<string[]> {
  const problems: string[] = [];
  for (const c of casesOf(op).filter(wanted)) {
    const wrong = await problemsOfCase(backend, op, c);
    if (wrong.length) problems.push(`${describeCase(c)}\n    ${wrong.join('\n    ')}`);
  }
  return problems;
}

const describeCase = ({ inputs, attrs, constants }: Case): string =>
  `${inputs.map((t) => `${t.dtype}[${t.shape}]`).join(' ')} ${JSON.stringify(attrs)} constants ${JSON.stringify(constants ?? [])}`;

/** What a runtime of its own reports: plain data, to be sent to the test that started it. */
export interface ConformReport {
  readonly adapter: string;
  readonly cases: number;
  /** Op and problem; empty if all is well. */
  readonly problems: string[];
}

/**
 * Every case of the named ops (all if none is named), in a runtime that can't run vitest. `atOnce` ops run side by side,
 * for a runtime that only looks now and then whether its GPU is done.
 */
export async function conform(
  backend: Backend,
  { only = opNames, atOnce = 1 }: { only?: readonly OpName[]; atOnce?: number } = {},
): Promise<ConformReport> {
  const problems: string[] = [];
  const waiting = [...only];
  const work = async () => {
    for (let op = waiting.shift(); op; op = waiting.shift()) {
      const name = op;
      const found = await problemsOf(backend, op).catch((error: Error) => [error.message]);
      problems.push(...found.map((p) => `${name}: ${p}`));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  const count = only.reduce((sum, op) => sum + casesOf(op).length, 0);
  return { adapter: backend.description, cases: count, problems };
}
