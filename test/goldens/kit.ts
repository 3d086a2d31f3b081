import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { allocate, type DType, type TypedArray } from '../../src/core/dtype.ts';
import { sizeOf } from '../../src/core/shape.ts';
import * as f from '../../src/functions/index.ts';
import { differentiate } from '../../src/graph/autodiff.ts';
import { buildPlan } from '../../src/graph/build-plan.ts';
import { type Tensor, Tracer } from '../../src/graph/trace.ts';
import { backends, reference } from '../support/backends.ts';

interface Stored {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly values: readonly (number | string)[];
}

/** A case as tools/goldens/kit.py writes it. */
interface Golden {
  readonly call: string;
  readonly attrs: never;
  readonly inputs: readonly Stored[];
  readonly outputs: readonly Stored[];
  /** Of the sum of all floating outputs, weighted with cos(1), cos(2) ...; null for inputs that have none. */
  readonly gradients?: readonly (Stored['values'] | null)[];
}

/** What a call is here: a function of tensors, and of the attributes in the file. */
export type Call = (inputs: Tensor[], attrs: never) => Tensor | readonly Tensor[];

/** How far results may be from PyTorch's; 1e-6 and 1e-5 if not given. */
export interface Room {
  readonly abs?: number;
  readonly rel?: number;
}

const numbers = (values: Stored['values']) => values.map(Number);

function arrayOf({ dtype, values }: Stored): TypedArray {
  const array = allocate(dtype, values.length);
  array.set(numbers(values));
  return array;
}

/** Every case of test/goldens/FAMILY.json, with its gradients, on the reference and on wasm. */
export function judge(family: string, calls: Readonly<Record<string, Call>>, room: Room = {}): void {
  const file = new URL(`${family}.json`, import.meta.url);
  const { by, cases } = JSON.parse(readFileSync(file, 'utf8')) as { by: string; cases: Golden[] };
  const places = [
    { name: 'reference', create: async () => reference() },
    ...backends.filter(({ name }) => name === 'wasm simd128'),
  ];
  for (const { name, create } of places) {
    let backend: Promise<Backend> | undefined;
    describe(`${name} has the values of ${by}`, () => {
      afterAll(async () => (await backend)?.dispose());
      cases.forEach((golden, i) => {
        it(`${i}: ${golden.call} ${shapesOf(golden)} ${JSON.stringify(golden.attrs)}`, async () => {
          const call = calls[golden.call];
          if (!call) throw new Error(`${family}.test.ts has no ${golden.call}`);
          backend ??= create();
          expect(await problemsOf(await backend, golden, call, room)).toEqual([]);
        });
      });
    });
  }
}

const shapesOf = ({ inputs }: Golden) => inputs.map(({ shape }) => shape.join('x')).join(' ');

/** What differs, in words. */
async function problemsOf(backend: Backend, golden: Golden, call: Call, room: Room): Promise<string[]> {
  const tracer = new Tracer({ training: true });
  const tensors = golden.inputs.map((x, i) => tracer.state(`x${i}`, x));
  const wanted = golden.gradients?.flatMap((g, i) => (g ? [i] : [])) ?? [];
  const { outputs, loss } = tracer.run(() => {
    const made = call(tensors, golden.attrs);
    const outputs = Array.isArray(made) ? (made as Tensor[]) : [made as Tensor];
    return { outputs, loss: wanted.length > 0 ? weighted(tracer, outputs) : undefined };
  });
  outputs.forEach((y, i) => void tracer.output(`y${i}`, y));
  if (loss) {
    const of = wanted.map((i) => tensors[i]);
    differentiate(tracer, loss, of).forEach((g, k) => void tracer.output(`d${wanted[k]}`, g));
  }
  const plan = buildPlan(tracer.graph, { name: golden.call });
  const program = await backend.compile(plan);
  golden.inputs.forEach((x, i) => {
    if (plan.slots[`x${i}`]) program.write(plan.slots[`x${i}`], arrayOf(x));
  });
  program.run();
  const problems: string[] = [];
  const check = async (slot: string, shape: readonly number[], want: Stored['values']) => {
    const got = await program.read(plan.slots[slot]);
    const { shape: given } = plan.slots[slot];
    if (given.join() !== shape.join()) problems.push(`${slot} has shape [${given}], expected [${shape}]`);
    else problems.push(...differences(slot, got, numbers(want), room));
  };
  if (outputs.length !== golden.outputs.length)
    problems.push(`${outputs.length} outputs, expected ${golden.outputs.length}`);
  for (const [i, { shape, values }] of golden.outputs.entries()) await check(`y${i}`, shape, values);
  for (const i of wanted) await check(`d${i}`, golden.inputs[i].shape, golden.gradients![i]!);
  program.dispose();
  return problems;
}

function weighted(tracer: Tracer, outputs: readonly Tensor[]): Tensor {
  const terms = outputs
    .filter(({ dtype }) => dtype === 'f32')
    .map((y) => {
      const weights = Float32Array.from({ length: sizeOf(y.shape) }, (_, i) => Math.cos(i + 1));
      return f.sum(f.mul(y, tracer.constant(weights, y)));
    });
  return terms.reduce((a, b) => f.add(a, b));
}

function differences(slot: string, got: ArrayLike<number>, want: number[], room: Room): string[] {
  const { abs = 1e-6, rel = 1e-5 } = room;
  return want.flatMap((w, i) => {
    const g = got[i];
    if (Object.is(w, g) || w === g || (Number.isNaN(w) && Number.isNaN(g))) return [];
    if (Number.isFinite(w) && Math.abs(g - w) <= abs + rel * Math.abs(w)) return [];
    return [`${slot}[${i}] is ${g}, expected ${w}`];
  });
}
