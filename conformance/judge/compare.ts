import type { TypedArray } from '../../src/core/dtype.ts';
import type { OpName } from '../../src/ops/index.ts';
import type { Value } from '../../src/ops/op.ts';
import { conformance } from '../index.ts';

/** The first elements that are out of bounds, in words; empty if all is well. */
export function compare(
  op: OpName,
  inputs: readonly Value[],
  attrs: object,
  want: TypedArray,
  got: TypedArray,
): string[] {
  const { abs, rel } = conformance[op].bound;
  const wrong: string[] = [];
  for (let i = 0; i < want.length && wrong.length < 3; i++) {
    const [w, g] = [want[i], got[i]];
    if (Object.is(w, g) || w === g || (Number.isNaN(w) && Number.isNaN(g))) continue;
    const room = (typeof abs === 'number' ? abs : abs(inputs, attrs, i)) + rel * Math.abs(w);
    if (Number.isFinite(w) && Math.abs(g - w) <= room) continue;
    wrong.push(`[${i}] is ${g}, the reference has ${w}, allowed difference ${room.toExponential(2)}`);
  }
  return wrong;
}
