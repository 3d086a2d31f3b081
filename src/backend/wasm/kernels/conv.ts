import * as records from '../../../generated/records.ts';
import type { Operands, TensorRef } from '../../../graph/plan.ts';
import { type ConvInputAttrs, imageOf, type conv as rows, weightsOf } from '../../../ops/conv.ts';
import { type ConvAttrs, type ConvSizes, convSizes, isDepthwise } from '../../../ops/conv-sizes.ts';
import { forwards, type Phase, phasesOf, type Taps, turnedTaps } from '../../phases.ts';
import { activationOf } from '../activation.ts';
import type { Place } from '../tape.ts';
import { backward } from './activation.ts';
import { addressesIn, type Kernel, type Kernels } from './kernel.ts';

/** What a record makes of an image: addresses, and where the taps of each window are. */
interface Windows {
  readonly down: Taps;
  readonly across: Taps;
  readonly batch: number;
  /** Channels of the image, and of what is made of it. */
  readonly channels: number;
  readonly results: number;
  readonly groups: number;
}

export const geometry = ({ down, across, channels }: Windows) => ({
  ...{ height: down.size, width: across.size, channels, rows: down.windows, columns: across.windows },
  ...{ tapsDown: down.taps, tapsAcross: across.taps, strideDown: down.stride, strideAcross: across.stride },
  ...{ originDown: down.origin, originAcross: across.origin, stepDown: down.step, stepAcross: across.step },
});

/** Where the operands of a product of taps are. */
interface Addresses {
  readonly image: number;
  /** (taps * channels of a group, results), a row for each. */
  readonly matrix: number;
  readonly bias?: number;
  readonly result: number;
  readonly packed?: number;
}

/** A product of taps: of windows by a matrix, or with `weights` of windows transposed by what has a row for each window. */
function taps(w: Windows, at: Addresses, epilogue: ConvAttrs['activation'], place: Place, weights = false) {
  const { scratch, scratchPerThread, f32Tile } = place;
  const [tileRows, tileColumns] = f32Tile;
  const windows = w.batch * w.down.windows * w.across.windows;
  const [taken, n] = [w.channels / w.groups, w.results / w.groups];
  const columns = w.down.taps * w.across.taps * taken;
  const [m, k] = weights ? [columns, windows] : [windows, columns];
  return records.conv({
    ...{ a: at.image, b: at.matrix, bias: at.bias, c: at.result, batch: w.groups, m, n, k },
    ...{
      batchStrideA: taken,
      batchStrideB: n,
      rowA: 0,
      stepA: 0,
      stepB: w.results,
      columnB: 1,
      rowC: w.results,
    },
    ...activationOf(epilogue),
    ...{ tileRows, tileColumns, scratch, scratchPerThread, packed: at.packed },
    ...{ taken, ...geometry(w), weights },
  });
}

/** Constant weights of every group in panels as wide as the tile, made when the program is. */
function packOnce(w: TensorRef, groups: number, { address, extra, f32Tile }: Place) {
  const [, tileColumns] = f32Tile;
  const [height, width, taken, filters] = w.shape;
  const [k, n] = [height * width * taken, filters / groups];
  const bytes = Math.ceil(n / tileColumns) * tileColumns * k * 4;
  const packed = extra(bytes * groups);
  const once = Array.from({ length: groups }, (_, g) => ({
    ...records.pack({
      ...{
        b: address(w) + g * n * 4,
        packed: packed + g * bytes,
        n,
        k,
        step: filters,
        column: 1,
        tileColumns,
      },
    }),
    once: true,
  }));
  return { packed, once };
}

/** A derivative, element by element, so it may write where it reads. */
function derived({ attrs, inputs, outputs }: Operands<ConvAttrs>, place: Place): records.TapeRecord[] {
  if (!attrs.derivative) return [];
  const { name, attrs: its } = attrs.derivative;
  return backward(name).encode({ inputs: [outputs[0], inputs[2]], outputs, attrs: its }, place);
}

export const windowsOf = (s: ConvSizes): Windows => ({
  ...{ down: forwards(s.down), across: forwards(s.across), batch: s.batch },
  ...{ channels: s.channels, results: s.filters, groups: s.groups },
});

const forward: Kernel<ConvAttrs> = {
  encode(step, place) {
    const { inputs, outputs, attrs } = step;
    const [x, w, third] = inputs;
    const sizes = convSizes('conv', x, w, attrs);
    const bias = attrs.derivative ? undefined : third;
    const at = addressesIn(place)({ x, w, bias, y: outputs[0] });
    const windows = windowsOf(sizes);
    if (isDepthwise(sizes)) {
      const how = { images: sizes.batch, ...geometry(windows), ...activationOf(attrs.activation) };
      return [records.depthwise({ ...at, ...how }), ...derived(step, place)];
    }
    const { packed, once } = w.constant ? packOnce(w, sizes.groups, place) : { packed: undefined, once: [] };
    const where = { image: at.x, matrix: at.w, bias: at.bias, result: at.y, packed };
    return [...once, taps(windows, where, attrs.activation, place), ...derived(step, place)];
  },
};

/**
 * Pixels whose places leave the same rest by the stride are met by the same taps, one window of them each: a convolution with
 * stride 1 for each rest, of the taps that meet it, and no product with an inserted zero.
 */
const input: Kernel<ConvInputAttrs> = {
  encode(step, place) {
    const { inputs, outputs, attrs } = step;
    const [dy, w, third] = inputs;
    const [dx] = outputs;
    const sizes = convSizes('conv_backward_input', imageOf(dy, w, attrs), w, attrs);
    const bias = attrs.derivative ? undefined : third;
    const at = addressesIn(place)({ dy, w, bias, dx });
    const phases = phasesOf(sizes);
    const whole = phases.length === 1;
    const pixels = Math.max(...phases.map(({ down, across }) => down.windows * across.windows));
    const result = whole ? at.dx : place.lend(sizes.batch * pixels * sizes.channels * 4);
    const list: records.TapeRecord[] = [];
    for (const phase of phases) {
      const { down, across } = phase;
      const windows: Windows = {
        ...{
          down,
          across,
          batch: sizes.batch,
          channels: sizes.filters,
          results: sizes.channels,
          groups: sizes.groups,
        },
      };
      const { matrix, record } = turnedWeights(w, sizes, phase, at.w, place);
      const turned = w.constant ? { ...record, once: true } : record;
      const where = { image: at.dy, matrix, bias: at.bias, result };
      const product = isDepthwise(sizes)
        ? records.depthwise({
            ...{ x: at.dy, w: matrix, bias: at.bias, y: result, images: sizes.batch },
            ...{ ...geometry(windows), ...activationOf(attrs.activation) },
          })
        : taps(windows, where, attrs.activation, place);
      list.push(turned, product);
      if (!whole) list.push(spreadOut(result, at.dx, sizes, down, across));
    }
    return [...list, ...derived(step, place)];
  },
};

/** The weights of a phase, and the record that makes them. */
function turnedWeights(w: TensorRef, sizes: ConvSizes, phase: Phase, at: number, place: Place) {
  const { offset, dims, stridesX, stridesY, count } = turnedTaps(sizes, phase);
  const matrix = w.constant ? place.extra(count * 4) : place.lend(count * 4);
  const outer = dims.slice(0, -1).reduce((a, b) => a * b, 1);
  const walk = { size: 4, rank: dims.length, outer, dims, stridesX, stridesY };
  return { matrix, record: records.stridedCopy({ x: at + offset * 4, y: matrix, ...walk }) };
}

/** The pixels of a phase, to their places in the image. */
function spreadOut(
  x: number,
  y: number,
  { batch, channels, down, across }: ConvSizes,
  rows: Taps,
  columns: Taps,
) {
  const dims = [batch, rows.windows, columns.windows, channels];
  return records.stridedCopy({
    ...{ x, y: y + (rows.place * across.size + columns.place) * channels * 4, size: 4, rank: 4 },
    ...{ outer: batch * rows.windows * columns.windows, dims },
    stridesX: [rows.windows * columns.windows * channels, columns.windows * channels, channels, 1],
    stridesY: [
      ...[
        down.size * across.size * channels,
        down.stride * across.size * channels,
        across.stride * channels,
        1,
      ],
    ],
  });
}

export const conv: Kernels<typeof rows> = {
  conv: forward,
  conv_backward_input: input,
  conv_backward_weight: {
    encode({ inputs: [dy, x], outputs: [dw], attrs }, place) {
      const sizes = convSizes('conv_backward_weight', x, weightsOf(dy, x, attrs), attrs);
      const at = addressesIn(place)({ dy, x, dw });
      const windows = windowsOf(sizes);
      if (isDepthwise(sizes))
        return [records.depthwiseWeights({ ...at, images: sizes.batch, ...geometry(windows) })];
      const where = { image: at.x, matrix: at.dy, result: at.dw };
      return [taps(windows, where, undefined, place, true)];
    },
  },
};
