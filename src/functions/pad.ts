import { either, listOf, oneOf, real, whole } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import { expectValue, optionsOf } from '../core/options.ts';
import { showShape } from '../core/shape.ts';
import type { Tensor } from '../graph/trace.ts';
import type { Beyond } from '../ops/pad.ts';
import { apply, type Operand } from './apply.ts';
import { reshape, slice } from './layout.ts';
import { axesFrom, flatten, tensorOf } from './shape.ts';

/** Options of pad(). */
export interface PadOptions {
  /**
   * What is put around: 'constant' (if not given) a value, 'reflect' what lies mirrored at the last element, which is not
   * repeated, 'replicate' the last element, 'circular' what lies at the other end.
   */
  readonly mode?: 'constant' | Beyond;
  /** For mode 'constant'; 0 if not given. */
  readonly value?: number;
}

const checkPad = optionsOf<PadOptions>('pad', {
  mode: oneOf('constant', 'reflect', 'replicate', 'circular'),
  value: real(-Infinity, Infinity),
});

/**
 * x with more around it. `pads` holds two numbers for each axis, in front and behind, the LAST axis first, as
 * torch.nn.functional.pad has it: [left, right, top, bottom]; negative ones crop. Throws 'out_of_range' where 'reflect' or
 * 'circular' would need more than the axis has.
 */
export function pad(x: Operand, pads: readonly number[], options?: PadOptions): Tensor {
  const { mode = 'constant', value = 0 } = checkPad(options);
  expectValue('pad', 'pads', pads, listOf(whole(-(2 ** 31), 2 ** 31 - 1)));
  const t = tensorOf('pad', x);
  const rank = t.shape.length;
  if (pads.length % 2 !== 0 || pads.length > 2 * rank)
    fail(
      'invalid_argument',
      `pad: got ${pads.length} numbers for ${showShape(t.shape)}, expected two for each of some axes, the last one first`,
    );
  const before = t.shape.map((_, d) => pads[2 * (rank - 1 - d)] ?? 0);
  const after = t.shape.map((_, d) => pads[2 * (rank - 1 - d) + 1] ?? 0);
  t.shape.forEach((n, d) => {
    if (n + before[d] + after[d] < 0)
      fail(
        'out_of_range',
        `pad: ${before[d]} and ${after[d]} crop more than axis ${d} of ${showShape(t.shape)}`,
      );
  });
  if (mode === 'reflect' || mode === 'replicate') return extended(t, before, after, mode);
  const cropped = crop(t, before, after);
  const [front, behind] = [before, after].map((list) => list.map((n) => Math.max(0, n)));
  if (mode === 'circular') return extended(cropped, front, behind, mode);
  if ([...front, ...behind].every((n) => n === 0)) return cropped;
  return apply('pad', [cropped], { before: front, after: behind, value });
}

/** Without as many elements as the negative numbers say. */
function crop(t: Tensor, before: readonly number[], after: readonly number[]): Tensor {
  if ([...before, ...after].every((n) => n >= 0)) return t;
  const starts = t.shape.map((n, d) => Math.min(n, Math.max(0, -before[d])));
  const ends = t.shape.map((n, d) => Math.max(0, n + Math.min(0, after[d])));
  t.shape.forEach((n, d) => {
    if (starts[d] > ends[d])
      fail('out_of_range', `pad: ${before[d]} and ${after[d]} crop more than axis ${d}, which has ${n}`);
  });
  return slice(t, starts, ends);
}

/** Axis by axis: each finds the ones before it padded already, corners included. */
const extended = (t: Tensor, before: readonly number[], after: readonly number[], beyond: Beyond): Tensor =>
  t.shape.reduceRight((y, n, axis) => {
    if (before[axis] === 0 && after[axis] === 0) return y;
    return apply('extend', [y], { axis, start: -before[axis], size: n + before[axis] + after[axis], beyond });
  }, t);

/**
 * Elements moved along axes, those that leave come in at the other end (torch.roll): one shift for each of `axes`, or one
 * for the flat tensor.
 */
export function roll(
  x: Operand,
  shifts: number | readonly number[],
  axes?: number | readonly number[],
): Tensor {
  const shift = whole(-(2 ** 31), 2 ** 31 - 1);
  expectValue('roll', 'shifts', shifts, either(shift, listOf(shift)));
  const t = tensorOf('roll', x);
  const by = typeof shifts === 'number' ? [shifts] : shifts;
  if (axes === undefined) {
    if (by.length !== 1) fail('invalid_argument', `roll: ${by.length} shifts need as many axes`);
    return reshape(roll(flatten(t), by, 0), t.shape);
  }
  // An axis may be named twice, as in PyTorch.
  const along = (typeof axes === 'number' ? [axes] : axes).flatMap((a) =>
    axesFrom('roll', a, t.shape.length),
  );
  if (along.length !== by.length)
    fail('invalid_argument', `roll: got ${by.length} shifts for ${along.length} axes`);
  return along.reduce((y, axis, i) => {
    const size = y.shape[axis];
    const start = size === 0 ? 0 : ((-by[i] % size) + size) % size;
    return start === 0 ? y : apply('extend', [y], { axis, start, size, beyond: 'circular' });
  }, t);
}
