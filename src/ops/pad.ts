import { fail } from '../core/errors.ts';
import { type Shape, showShape, stridesOf } from '../core/shape.ts';
import { expectInputs } from './check.ts';
import { copyStrided, type StridedCopy } from './layout.ts';
import { type Emit, op, type Sym, type TensorType } from './op.ts';
import { sumAxes } from './symbolic.ts';

export interface FlipAttrs {
  readonly axes: readonly number[];
}

/** From the last element to the first: negative steps. */
export function flipCopy(x: TensorType, { axes }: FlipAttrs): StridedCopy {
  const strides = stridesOf(x.shape);
  return {
    shape: x.shape,
    sourceOffset: axes.reduce((sum, d) => sum + (x.shape[d] - 1) * strides[d], 0),
    sourceStrides: strides.map((s, d) => (axes.includes(d) ? -s : s)),
    targetOffset: 0,
    targetStrides: strides,
  };
}

export interface PadAttrs {
  /** Elements added in front of each axis, and behind it. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly value: number;
}

/** The copy of x into its place in the padded tensor y. */
export function padCopy(x: TensorType, y: TensorType, { before }: PadAttrs): StridedCopy {
  const targetStrides = stridesOf(y.shape);
  return {
    shape: x.shape,
    sourceOffset: 0,
    sourceStrides: stridesOf(x.shape),
    targetOffset: targetStrides.reduce((sum, s, d) => sum + s * before[d], 0),
    targetStrides,
  };
}

/** How an axis goes on beyond its ends: mirrored at its last element, with its last element, or from its other end. */
export type Beyond = 'reflect' | 'replicate' | 'circular';

export interface ExtendAttrs {
  readonly axis: number;
  /** Where on the axis, continued at both ends, the output begins, and how many elements it has. */
  readonly start: number;
  readonly size: number;
  readonly beyond: Beyond;
}

/** A run of the output: `count` elements from position `to`, taken from position `from` of the input in steps of -1, 0 or 1. */
interface Piece {
  readonly to: number;
  readonly from: number;
  readonly step: number;
  readonly count: number;
}

/** What lies at position p of a continued axis of n elements: where it comes from, in which steps, and for how many. */
function at(p: number, n: number, beyond: Beyond): Omit<Piece, 'to'> {
  if (p >= 0 && p < n) return { from: p, step: 1, count: n - p };
  if (beyond === 'circular') return at(p < 0 ? p + n : p - n, n, beyond);
  const before = p < 0;
  const count = before ? -p : Infinity;
  if (beyond === 'replicate') return { from: before ? 0 : n - 1, step: 0, count };
  return { from: before ? -p : 2 * (n - 1) - p, step: -1, count };
}

function piecesOf(n: number, { start, size, beyond }: ExtendAttrs): Piece[] {
  const pieces: Piece[] = [];
  for (let to = 0; to < size; to += pieces.at(-1)!.count) {
    const piece = at(start + to, n, beyond);
    pieces.push({ ...piece, to, count: Math.min(piece.count, size - to) });
  }
  return pieces;
}

/** One copy for each run of the output. */
export function extendCopies(x: TensorType, y: TensorType, attrs: ExtendAttrs): StridedCopy[] {
  const { axis } = attrs;
  const [strides, targetStrides] = [stridesOf(x.shape), stridesOf(y.shape)];
  return piecesOf(x.shape[axis], attrs).map(({ to, from, step, count }) => ({
    shape: x.shape.map((n, d) => (d === axis ? count : n)),
    sourceOffset: from * strides[axis],
    sourceStrides: strides.map((s, d) => (d === axis ? s * step : s)),
    targetOffset: to * targetStrides[axis],
    targetStrides,
  }));
}

function checkExtend(shape: Shape, { axis, start, size, beyond }: ExtendAttrs): void {
  const n = shape[axis];
  if (n === undefined) fail('out_of_range', `extend: axis ${axis} is outside ${showShape(shape)}`);
  if (!Number.isInteger(start) || !Number.isInteger(size) || size < 0)
    fail('invalid_argument', `extend: got start ${start} and size ${size}, expected whole numbers`);
  const [before, after] = [-start, start + size - n];
  const most = beyond === 'reflect' ? n - 1 : beyond === 'circular' ? n : n > 0 ? Infinity : 0;
  if (size > 0 && Math.max(before, after) > Math.max(0, most))
    fail(
      'out_of_range',
      `pad: axis ${axis} of ${showShape(shape)} can't be padded by ${before} and ${after}; '${beyond}' needs at most ${most}`,
    );
}

/** The gradient of a run of the output, in its place in a tensor of `n` along the axis. */
function placed(emit: Emit, dy: Sym, { to, from, step, count }: Piece, n: number, axis: number): Sym {
  const along = (value: number, others: readonly number[]) => others.map((v, d) => (d === axis ? value : v));
  const zeros = dy.shape.map(() => 0);
  const ones = dy.shape.map(() => 1);
  let run = emit('slice', [dy], { starts: along(to, zeros), ends: along(to + count, dy.shape), steps: ones });
  if (step === 0) run = sumAxes(emit, run, [axis], true);
  if (step === -1) run = emit('flip', [run], { axes: [axis] });
  const first = step === -1 ? from - count + 1 : from;
  const after = n - first - run.shape[axis];
  if (first === 0 && after === 0) return run;
  return emit('pad', [run], { before: along(first, zeros), after: along(after, zeros), value: 0 });
}

export const pad = {
  /** Some axes from their last element to their first. */
  flip: op<FlipAttrs>({
    moves: true,
    infer(inputs, { axes }) {
      expectInputs('flip', inputs, [null]);
      const { dtype, shape } = inputs[0];
      if (axes.some((d, i) => shape[d] === undefined || axes.indexOf(d) !== i))
        fail('invalid_argument', `flip: [${axes}] are not different axes of ${showShape(shape)}`);
      return { dtype, shape };
    },
    reference: ([x], y, attrs) => copyStrided(x, y, flipCopy(x, attrs)),
    flops: () => 0,
    gradient: ({ dy, attrs, emit }) => [emit('flip', [dy], attrs)],
  }),

  /** A value around a tensor. */
  pad: op<PadAttrs>({
    infer(inputs, { before, after, value }) {
      expectInputs('pad', inputs, [null]);
      const { dtype, shape } = inputs[0];
      if (before.length !== shape.length || after.length !== shape.length)
        fail('invalid_argument', `pad: expected two numbers for each axis of ${showShape(shape)}`);
      for (const n of [...before, ...after])
        if (!Number.isInteger(n) || n < 0)
          fail('out_of_range', `pad: got ${n} elements, expected whole numbers from 0`);
      const [least, most] = { f32: [], i32: [-(2 ** 31), 2 ** 31 - 1], u8: [0, 255], i8: [-128, 127] }[dtype];
      if (least !== undefined && !(Number.isInteger(value) && value >= least && value <= most))
        fail(
          'out_of_range',
          `pad: ${value} is no ${dtype}; expected a whole number from ${least} to ${most}`,
        );
      return { dtype, shape: shape.map((n, d) => before[d] + n + after[d]) };
    },
    reference([x], y, attrs) {
      y.data.fill(attrs.value);
      copyStrided(x, y, padCopy(x, y, attrs));
    },
    flops: () => 0,
    gradient: ({ inputs: [x], dy, attrs: { before }, emit }) => [
      emit('slice', [dy], {
        starts: before,
        ends: before.map((n, d) => n + x.shape[d]),
        steps: before.map(() => 1),
      }),
    ],
  }),

  /** Part of an axis that goes on beyond both of its ends: padding with what is there, and rolling (PyTorch's F.pad and roll). */
  extend: op<ExtendAttrs>({
    moves: true,
    infer(inputs, attrs) {
      expectInputs('extend', inputs, [null]);
      const { dtype, shape } = inputs[0];
      checkExtend(shape, attrs);
      return { dtype, shape: shape.map((n, d) => (d === attrs.axis ? attrs.size : n)) };
    },
    reference([x], y, attrs) {
      for (const c of extendCopies(x, y, attrs)) copyStrided(x, y, c);
    },
    flops: () => 0,
    gradient({ inputs: [x], dy, attrs, emit }) {
      const { axis, start, size, beyond } = attrs;
      const n = x.shape[axis];
      if (beyond === 'circular' && size === n) return [emit('extend', [dy], { ...attrs, start: -start })];
      if (size === 0) {
        const zeros = dy.shape.map(() => 0);
        const after = zeros.map((_, d) => (d === axis ? n : 0));
        return [emit('pad', [dy], { before: zeros, after, value: 0 })];
      }
      return [
        piecesOf(n, attrs)
          .map((piece) => placed(emit, dy, piece, n, axis))
          .reduce((a, b) => emit('add', [a, b])),
      ];
    },
  }),
};
