import type { Operands, TensorRef } from '../../../graph/plan.ts';
import { type ConvInputAttrs, imageOf, type conv as rows, weightsOf } from '../../../ops/conv.ts';
import { type ConvAttrs, type ConvSizes, convSizes, isDepthwise, outputOf } from '../../../ops/conv-sizes.ts';
import type { Product } from '../../../ops/op.ts';
import { forwards, phasesOf, type Taps, turnedTaps } from '../../phases.ts';
import { configs, fitting, type ProductConfig } from '../products.ts';
import { type Dispatch, readApart, type Weights, wordOf } from '../record.ts';
import { activationFiles } from './activation.ts';
import { copyWords } from './copy.ts';
import { type EncodeContext, each, type Kernels } from './kernel.ts';
import { lanesFor } from './reduce.ts';
import { division, tilesOf } from './tiles.ts';

/** Windows over an image, and where their results lie. */
interface Windows {
  readonly down: Taps;
  readonly across: Taps;
  readonly images: number;
  readonly channels: number;
  readonly results: number;
  readonly groups: number;
  /** Height and width of the image of results. */
  readonly out: readonly [number, number];
}

/** Taps in taps.wgsl. */
export function geometry({ down, across, images, channels, out }: Windows): number[] {
  const both = <K extends keyof Taps>(fact: K) => [down[fact] as number, across[fact] as number];
  return [
    ...[down.size, across.size, channels, down.windows, across.windows, down.taps, across.taps],
    ...[...both('stride'), ...both('origin'), ...both('step'), ...out],
    ...[...both('every'), ...both('place'), images],
  ].map((n) => n >>> 0);
}

/** What a dispatch works on, in words. */
interface Places {
  readonly image: number;
  readonly matrix: number;
  /** Where the matrix lies, if not in the arena. */
  readonly weights?: Weights;
  readonly third?: TensorRef;
  readonly result: number;
}

const epilogueOf = ({ activation, derivative }: ConvAttrs, third: TensorRef | undefined) => ({
  files: activationFiles(derivative ?? activation),
  constants: { BIAS: third && !derivative ? 1 : 0, DERIVATIVE: derivative ? 1 : 0 },
});

/** A product of windows by a matrix with a row for each channel of each tap. */
function product(
  w: Windows,
  { image, matrix, weights: apart, third, result }: Places,
  attrs: ConvAttrs,
  wish: ProductConfig,
  weights = false,
): Dispatch[] {
  const windows = w.images * w.down.windows * w.across.windows;
  const [taken, n] = [w.channels / w.groups, w.results / w.groups];
  const columns = w.down.taps * w.across.taps * taken;
  const [m, k] = weights ? [columns, windows] : [windows, columns];
  const given: Product = { kind: 'f32', batch: w.groups, m, n, k, form: weights ? 'tn' : 'nn' };
  const config = { ...fitting(wish, given), parts: 1 };
  const { tilesM, tilesN, chunk } = tilesOf(config, m, n, k);
  const whole = taken % 4 === 0 && n % 4 === 0;
  const {
    files: [files, p],
    constants,
  } = epilogueOf(attrs, third);
  const tiles = w.groups * tilesM * tilesN;
  return [
    {
      shader: {
        files: ['taps', 'conv', ...files, 'product', `product_${config.kernel}`],
        constants: {
          ...constants,
          WEIGHTS: weights ? 1 : 0,
          SUMS: 0,
          WHOLE: whole ? 1 : 0,
          ...division(config),
        },
        quads: whole,
      },
      args: [
        ...[...geometry(w), image, matrix, third ? wordOf(third) : 0, result, m, n, k, taken, w.results],
        ...[tilesM, tilesN, tiles, w.groups, chunk, p],
      ],
      workgroups: m * n === 0 ? 0 : tiles,
      weights: apart,
    },
  ];
}

function depthwise(
  w: Windows,
  { image, matrix, weights: apart, third, result }: Places,
  attrs: ConvAttrs,
): Dispatch[] {
  const n = w.images * w.down.windows * w.across.windows * w.channels;
  const {
    files: [files, p],
    constants,
  } = epilogueOf(attrs, third);
  return [
    {
      shader: { files: ['taps', 'depthwise', ...files], constants },
      args: [...geometry(w), image, matrix, third ? wordOf(third) : 0, result, n, p],
      workgroups: each(n),
      weights: apart,
    },
  ];
}

export const windowsOf = (s: ConvSizes): Windows => ({
  ...{ down: forwards(s.down), across: forwards(s.across), images: s.batch, channels: s.channels },
  ...{ results: s.filters, groups: s.groups, out: [s.down.windows, s.across.windows] },
});

/** Those taps of the weights that a phase takes, filters and channels of each exchanged. */
function turned(
  w: TensorRef,
  sizes: ConvSizes,
  taps: ReturnType<typeof phasesOf>[number],
  { scratch }: EncodeContext,
) {
  const { offset, dims, stridesX, stridesY, count } = turnedTaps(sizes, taps);
  const raw = readApart(w);
  const matrix = raw ? 0 : scratch.lend(count);
  const dispatch = copyWords(wordOf(w) + offset, matrix, dims, stridesX, stridesY);
  return raw && count > 0
    ? { first: [], matrix, weights: { ...raw, made: { dispatch, words: count } } }
    : { first: [dispatch], matrix, weights: undefined };
}

export const conv: Kernels<typeof rows> = {
  conv: {
    apart: [1],
    encode({ inputs: [x, w, third], outputs: [y], attrs }, { config = configs.direct }) {
      const sizes = convSizes('conv', x, w, attrs);
      const places = { image: wordOf(x), matrix: wordOf(w), weights: readApart(w), third, result: wordOf(y) };
      const windows = windowsOf(sizes);
      return isDepthwise(sizes) ? depthwise(windows, places, attrs) : product(windows, places, attrs, config);
    },
  },
  conv_backward_input: {
    apart: [1],
    encode({ inputs: [dy, w, third], outputs: [dx], attrs }: Operands<ConvInputAttrs>, context) {
      const { config = configs.direct } = context;
      const sizes = convSizes('conv_backward_input', imageOf(dy, w, attrs), w, attrs);
      return phasesOf(sizes).flatMap((phase) => {
        const { first, matrix, weights } = turned(w, sizes, phase, context);
        const places = { image: wordOf(dy), matrix, weights, third, result: wordOf(dx) };
        const windows: Windows = {
          ...{ down: phase.down, across: phase.across, images: sizes.batch, channels: sizes.filters },
          ...{ results: sizes.channels, groups: sizes.groups, out: [sizes.down.size, sizes.across.size] },
        };
        const made = isDepthwise(sizes)
          ? depthwise(windows, places, attrs)
          : product(windows, places, attrs, config);
        return [...first, ...made];
      });
    },
  },
  conv_backward_weight: {
    encode({ inputs: [dy, x], outputs: [dw], attrs }, { config = configs.direct }) {
      const sizes = convSizes('conv_backward_weight', x, weightsOf(dy, x, attrs), attrs);
      const windows = windowsOf(sizes);
      if (!isDepthwise(sizes)) {
        const places = { image: wordOf(x), matrix: wordOf(dy), result: wordOf(dw) };
        return product(windows, places, attrs, config, true);
      }
      const [n, rows, columns] = outputOf(sizes);
      const count = sizes.down.taps * sizes.across.taps * sizes.channels;
      return [
        {
          shader: {
            files: ['taps', 'depthwise_weight', 'sums', 'workgroup'],
            constants: { LANES: lanesFor(n * rows * columns) },
          },
          args: [...geometry(windows), ...[dy, x, dw].map(wordOf), n * rows * columns, count],
          workgroups: count,
        },
      ];
    },
  },
};
