import type { Backend } from '../../src/backend/backend.ts';
import { bytesPerElement, type TypedArray } from '../../src/core/dtype.ts';
import { sizeOf } from '../../src/core/shape.ts';
import { buildPlan } from '../../src/graph/build-plan.ts';
import type { Plan, Slot, TensorRef } from '../../src/graph/plan.ts';
import { type Tensor, Tracer } from '../../src/graph/trace.ts';
import { type OpName, opOf } from '../../src/ops/index.ts';
import type { Case } from '../kit/case.ts';
import { make } from '../kit/tensor.ts';

const GUARD_BYTES = 64;
const GUARD_VALUE = 0xa5;

export interface CaseResult {
  /** In order. */
  readonly outputs: TypedArray[];
  /** Bytes outside all tensors that were changed. */
  readonly strayWrites: string[];
  /** Inputs that changed although the op doesn't write them. */
  readonly changedInputs: number[];
}

/** A plan of one op, with room between all tensors. */
export function planOfCase(
  name: OpName,
  { inputs, attrs, constants = [] }: Case,
  seed = 1,
): { plan: Plan; data: TypedArray[] } {
  const data = inputs.map((spec, i) => make(spec, seed * 100 + i));
  const tracer = new Tracer({ training: true });
  const tensors: Tensor[] = inputs.map((spec, i) =>
    constants.includes(i) ? tracer.constant(data[i], spec) : tracer.state(`x${i}`, spec),
  );
  tracer.applyAll(name, tensors, attrs).forEach((y, i) => void tracer.output(`y${i}`, y));
  const plan = buildPlan(tracer.graph, { name, optimize: false, guardBytes: GUARD_BYTES });
  const guards = guardSlots(plan);
  return {
    plan: { ...plan, slots: { ...plan.slots, ...Object.fromEntries(guards.map((g) => [g.name, g])) } },
    data,
  };
}

export async function runCase(backend: Backend, name: OpName, c: Case): Promise<CaseResult> {
  const { plan, data } = planOfCase(name, c);
  const program = await backend.compile(plan);
  try {
    const guards = Object.values(plan.slots).filter((s) => s.name.startsWith('guard'));
    for (const g of guards) program.write(g, new Uint8Array(sizeOf(g.shape)).fill(GUARD_VALUE));
    data.forEach((values, i) => {
      if (plan.slots[`x${i}`]) program.write(plan.slots[`x${i}`], values);
    });
    program.run();
    const { inPlace = [] } = opOf(name);
    const outputs: TypedArray[] = [];
    for (const slot of Object.values(plan.slots))
      if (slot.role === 'output') outputs.push(await program.read(slot));
    const strayWrites: string[] = [];
    for (const g of guards) {
      const bytes = await program.read(g);
      const at = bytes.findIndex((b) => b !== GUARD_VALUE);
      if (at >= 0) strayWrites.push(`byte ${g.offset + at}, ${at} bytes into ${g.name}`);
    }
    const changedInputs: number[] = [];
    for (let i = 0; i < data.length; i++) {
      const slot = plan.slots[`x${i}`];
      if (!slot || inPlace.slice(0, outputs.length).includes(i)) continue;
      const now = await program.read(slot);
      if (!sameBytes(now, data[i])) changedInputs.push(i);
    }
    return { outputs, strayWrites, changedInputs };
  } finally {
    program.dispose();
  }
}

const sameBytes = (a: TypedArray, b: TypedArray): boolean => {
  const [x, y] = [a, b].map((t) => new Uint8Array(t.buffer, t.byteOffset, t.byteLength));
  return x.length === y.length && x.every((v, i) => v === y[i]);
};

/** The room behind each tensor, from the next multiple of 4 bytes on, as slots. */
function guardSlots(plan: Plan): Slot[] {
  const tensors: TensorRef[] = [...Object.values(plan.slots), ...plan.constants];
  const starts = [...new Set(tensors.map((t) => t.offset)), plan.arenaBytes].sort((a, b) => a - b);
  return tensors.flatMap((t, i) => {
    const end = Math.ceil((t.offset + sizeOf(t.shape) * bytesPerElement[t.dtype]) / 4) * 4;
    const next = starts.find((s) => s >= end && s > t.offset) ?? plan.arenaBytes;
    if (next <= end) return [];
    return [
      { name: `guard ${i}`, role: 'state' as const, dtype: 'u8' as const, shape: [next - end], offset: end },
    ];
  });
}
