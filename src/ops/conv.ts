import { fail } from '../core/errors.ts';
import { sameShape, showShape, sizeOf } from '../core/shape.ts';
import { expectInputs } from './check.ts';
import { type ConvAttrs, type ConvSizes, convSizes, eachTap, outputOf } from './conv-sizes.ts';
import { epilogueFlops, finisher } from './epilogue.ts';
import { op, type Product, type TensorType, type Value } from './op.ts';
import type { Pair } from './pool.ts';
import { sumAxes } from './symbolic.ts';

/** The gradient of the image: how high and wide it is. */
export interface ConvInputAttrs extends ConvAttrs {
  readonly size: Pair;
}

/** The gradient of the weights: how many taps they have. */
export interface ConvWeightAttrs extends ConvAttrs {
  readonly kernel: Pair;
}

/** The image that a gradient is of. */
export const imageOf = (dy: TensorType, w: TensorType, { size, groups }: ConvInputAttrs): TensorType => ({
  dtype: 'f32',
  shape: [dy.shape[0], ...size, w.shape[2] * groups],
});

/** The weights that a gradient is of. */
export const weightsOf = (
  dy: TensorType,
  x: TensorType,
  { kernel, groups }: ConvWeightAttrs,
): TensorType => ({
  dtype: 'f32',
  shape: [...kernel, x.shape[3] / groups, dy.shape[3]],
});

const isRank4 = (name: string, what: string, axes: string, { shape }: TensorType): void => {
  if (shape.length !== 4)
    fail('shape_mismatch', `${name}: ${what} has shape ${showShape(shape)}, expected [${axes}]`);
};
const isImage = (name: string, x: TensorType) =>
  isRank4(name, 'the image', 'batch, height, width, channels', x);
const isKernel = (name: string, w: TensorType) =>
  isRank4(name, 'the weight', 'kernel height, kernel width, channels of a group, filters', w);

function expectOutput(name: string, dy: TensorType, sizes: ConvSizes): void {
  const shape = outputOf(sizes);
  if (!sameShape(dy.shape, shape))
    fail(
      'shape_mismatch',
      `${name}: the gradient has shape ${showShape(dy.shape)}, expected ${showShape(shape)}`,
    );
}

/** Adds `x[pixel, c] w[tap, c, o]` and what belongs to it: `add(place in y, in x, in w)` for each product there is. */
function eachProduct(sizes: ConvSizes, add: (y: number, x: number, w: number) => void): void {
  const { channels, filters, groups } = sizes;
  const [perGroup, ofGroup] = [channels / groups, filters / groups];
  eachTap(sizes, (y, x, tap) => {
    for (let g = 0; g < groups; g++)
      for (let c = 0; c < perGroup; c++)
        for (let o = g * ofGroup; o < (g + 1) * ofGroup; o++)
          add(y * filters + o, x * channels + g * perGroup + c, (tap * perGroup + c) * filters + o);
  });
}

const product = (sizes: ConvSizes, form: Product['form'], m: number, n: number, k: number): Product => ({
  ...{ kind: 'f32' as const, batch: sizes.groups, m, n, k, form },
});
const flopsOf = (sizes: ConvSizes): number =>
  (2 * sizeOf(outputOf(sizes)) * sizes.down.taps * sizes.across.taps * sizes.channels) / sizes.groups;

/**
 * conv(x, w, bias?): (batch, height, width, channels) by (kernel height, kernel width, channels / groups, filters) [+ (filters)] ->
 * (batch, rows, columns, filters), then the activation; the padding is zeros. Channels last: a tap is then one run of memory.
 */
export const conv = {
  conv: op<ConvAttrs>({
    fuses: 'product',
    product([x, w], attrs) {
      const s = convSizes('conv', x, w, attrs);
      const k = (s.down.taps * s.across.taps * s.channels) / s.groups;
      return product(s, 'nn', s.batch * s.down.windows * s.across.windows, s.filters / s.groups, k);
    },
    columns: () => 3,
    infer(inputs, attrs) {
      expectInputs('conv', inputs, ['f32', 'f32', 'f32?']);
      const [x, w, third] = inputs;
      isImage('conv', x);
      isKernel('conv', w);
      const shape = outputOf(convSizes('conv', x, w, attrs));
      finisher('conv', third, { dtype: 'f32', shape }, attrs);
      return { dtype: 'f32', shape };
    },
    reference([x, w, third], y, attrs) {
      const sums = new Float64Array(y.data.length);
      eachProduct(convSizes('conv', x, w, attrs), (iy, ix, iw) => {
        sums[iy] += x.data[ix] * w.data[iw];
      });
      finish(sums, y, third, attrs);
    },
    flops: ([x, w, third], y, attrs) =>
      flopsOf(convSizes('conv', x, w, attrs)) + epilogueFlops(third, attrs) * sizeOf(y.shape),
    gradient({ inputs: [x, w, bias], dy, attrs, emit, wanted }) {
      const plain = plainly(attrs);
      const [size, kernel] = [spatial(x), w.shape.slice(0, 2)];
      return [
        wanted(0) ? emit('conv_backward_input', [dy, w], { ...plain, size }) : undefined,
        wanted(1) ? emit('conv_backward_weight', [dy, x], { ...plain, kernel }) : undefined,
        bias && (wanted(2) ? sumAxes(emit, dy, [0, 1, 2], false) : undefined),
      ];
    },
  }),

  /** conv_backward_input(dy, w): the gradient of the image, which is also what a transposed convolution computes. */
  conv_backward_input: op<ConvInputAttrs>({
    fuses: 'product',
    product([dy, w], attrs) {
      const s = convSizes('conv_backward_input', imageOf(dy, w, attrs), w, attrs);
      const [m, taps] = [s.batch * s.down.size * s.across.size, s.down.taps * s.across.taps];
      const k = Math.ceil(taps / (s.down.stride * s.across.stride)) * (s.filters / s.groups);
      return product(s, 'nn', m, s.channels / s.groups, k);
    },
    infer(inputs, attrs) {
      const name = 'conv_backward_input';
      expectInputs(name, inputs, ['f32', 'f32', 'f32?']);
      const [dy, w, third] = inputs;
      isImage(name, dy);
      isKernel(name, w);
      const x = imageOf(dy, w, attrs);
      expectOutput(name, dy, convSizes(name, x, w, attrs));
      finisher(name, third, x, attrs);
      return x;
    },
    reference([dy, w, third], dx, attrs) {
      const sums = new Float64Array(dx.data.length);
      eachProduct(convSizes('conv_backward_input', dx, w, attrs), (iy, ix, iw) => {
        sums[ix] += dy.data[iy] * w.data[iw];
      });
      finish(sums, dx, third, attrs);
    },
    flops: ([dy, w, third], dx, attrs) =>
      flopsOf(convSizes('conv_backward_input', imageOf(dy, w, attrs), w, attrs)) +
      epilogueFlops(third, attrs) * sizeOf(dx.shape),
    gradient({ inputs: [dy, w, bias], dy: g, attrs, emit, wanted }) {
      const { size: _, ...plain } = plainly(attrs);
      const kernel = w.shape.slice(0, 2);
      return [
        wanted(0) ? emit('conv', [g, w], plain) : undefined,
        wanted(1) ? emit('conv_backward_weight', [dy, g], { ...plain, kernel }) : undefined,
        bias && (wanted(2) ? sumAxes(emit, g, [0, 1, 2], false) : undefined),
      ];
    },
  }),

  /** conv_backward_weight(dy, x): the gradient of the weights. */
  conv_backward_weight: op<ConvWeightAttrs>({
    product([dy, x], attrs) {
      const s = convSizes('conv_backward_weight', x, weightsOf(dy, x, attrs), attrs);
      const m = (s.down.taps * s.across.taps * s.channels) / s.groups;
      return product(s, 'tn', m, s.filters / s.groups, s.batch * s.down.windows * s.across.windows);
    },
    infer(inputs, attrs) {
      const name = 'conv_backward_weight';
      expectInputs(name, inputs, ['f32', 'f32']);
      const [dy, x] = inputs;
      isImage(name, dy);
      isImage(name, x);
      const w = weightsOf(dy, x, attrs);
      expectOutput(name, dy, convSizes(name, x, w, attrs));
      return w;
    },
    reference([dy, x], dw, attrs) {
      const sums = new Float64Array(dw.data.length);
      eachProduct(convSizes('conv_backward_weight', x, dw, attrs), (iy, ix, iw) => {
        sums[iw] += dy.data[iy] * x.data[ix];
      });
      dw.data.set(sums);
    },
    flops: ([dy, x], _, attrs) =>
      flopsOf(convSizes('conv_backward_weight', x, weightsOf(dy, x, attrs), attrs)),
    gradient({ inputs: [dy, x], dy: g, attrs, emit, wanted }) {
      const { kernel: _, ...plain } = plainly(attrs);
      return [
        wanted(0) ? emit('conv', [x, g], plain) : undefined,
        wanted(1) ? emit('conv_backward_input', [dy, g], { ...plain, size: spatial(x) }) : undefined,
      ];
    },
  }),
};

const spatial = ({ shape }: TensorType): Pair => [shape[1], shape[2]];

/** The attributes without what fusion put there, which comes after differentiation. */
function plainly<A extends ConvAttrs>({ activation, derivative, ...attrs }: A) {
  if (activation || derivative)
    fail('unsupported', 'conv: differentiate before fusing; the activation is already part of the product');
  return attrs;
}

/** Sums become outputs. */
function finish(sums: Float64Array, y: Value, third: Value | undefined, attrs: ConvAttrs): void {
  const result = finisher('conv', third, y, attrs);
  for (let i = 0; i < sums.length; i++) y.data[i] = result(sums[i], i, third?.data);
}
