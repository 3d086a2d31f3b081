import * as records from '../../../generated/records.ts';
import type { TensorRef } from '../../../graph/plan.ts';
import { type ConvI8Attrs, convI8Sizes, type convI8 as rows, termsOf } from '../../../ops/conv-i8.ts';
import { type Axis, isDepthwise } from '../../../ops/conv-sizes.ts';
import type { Place } from '../tape.ts';
import { packedBytes, type Tiles } from '../tiles.ts';
import { geometry, windowsOf } from './conv.ts';
import { addressesIn, type Kernel, type Kernels } from './kernel.ts';

/** Channels in the lanes: panels of 16 filters, two taps to a word. */
const LANES = { tileColumns: 16, kind: 0 } as const;
/** A pixel of zero points has to fit into a thread's scratch. */
const MOST_CHANNELS = 2 ** 18;

const isPixels = ({ taps, stride, windows, size }: Axis): boolean =>
  taps === 1 && stride === 1 && windows === size;

/** Weights of every group in panels, one group behind the other; once, where they are constant. */
function pack(weight: TensorRef, groups: number, tileColumns: number, kind: Tiles['i8Kind'], place: Place) {
  const [n, k] = [weight.shape[0] / groups, termsOf(weight)];
  const bytes = packedBytes(n, k, { i8Tile: [0, tileColumns], i8Kind: kind });
  const packed = place.extra(bytes * groups);
  const list = Array.from({ length: groups }, (_, g) => ({
    ...records.packI8({
      ...{ weight: place.address(weight) + g * n * k, packed: packed + g * bytes, n, k, tileColumns, kind },
    }),
    once: weight.constant,
  }));
  return { packed, list };
}

const forward: Kernel<ConvI8Attrs> = {
  encode({ inputs: [x, weight, bias, multiplier, table], outputs: [y], attrs }, place) {
    const sizes = convI8Sizes(x, weight, attrs);
    const { batch, down, across, channels, filters, groups } = sizes;
    const { shift, zeroPoint, min, max, inputZero } = attrs;
    const { scratch, scratchPerThread, i8Tile, i8Kind } = place;
    // Every pixel as it lies is a window: a plain product.
    const pixels = groups === 1 && [down, across].every(isPixels);
    const lanes = isDepthwise(sizes) && channels <= MOST_CHANNELS;
    const [tileRows, columns] = i8Tile;
    const { tileColumns, kind } = lanes ? LANES : { tileColumns: columns, kind: i8Kind };
    const { packed, list } = pack(weight, lanes ? 1 : groups, tileColumns, kind, place);
    const words = {
      ...addressesIn(place)({ x, weight, bias, multiplier, table, y }),
      ...{ packed, m: batch * down.windows * across.windows, n: lanes ? filters : filters / groups },
      ...{ k: termsOf(weight), shift, zeroPoint, min, max, tileRows, tileColumns, kind },
      ...{ scratch, scratchPerThread, taken: channels / groups, groups, padding: inputZero },
      ...geometry(windowsOf(sizes)),
    };
    const record = lanes ? records.depthwiseI8 : pixels ? records.matmulI8 : records.convI8;
    return [...list, record(words)];
  },
};

export const convI8: Kernels<typeof rows> = { conv_i8: forward };
