import type { Axis, ConvSizes } from '../ops/conv-sizes.ts';

/** Along one axis: tap t of window i is at i * stride + origin + t * step, inside where that is from 0 up to `size`. */
export interface Taps {
  readonly size: number;
  readonly windows: number;
  readonly taps: number;
  readonly stride: number;
  readonly origin: number;
  readonly step: number;
  /** Results lie at place, place + every ... of their axis. */
  readonly place: number;
  readonly every: number;
}

/** Taps of windows, as they are going forwards. */
export const forwards = ({ size, windows, taps, stride, before, dilation }: Axis): Taps => ({
  ...{ size, windows, taps, stride, origin: -before, step: dilation, place: 0, every: 1 },
});

/** Taps of the weights: the first, from one to the next, and how many. */
export type TapRange = readonly [first: number, every: number, count: number];

/** Pixels of an image, `stride` apart, whose gradient is a convolution of the output's with these taps. */
export interface Phase {
  readonly down: Taps;
  readonly across: Taps;
  readonly tapsDown: TapRange;
  readonly tapsAcross: TapRange;
}

/** The convolutions that the gradient of an image is made of: one for each rest by the strides, each of the taps that meet it. */
export function phasesOf({ down, across }: ConvSizes): Phase[] {
  return alongAxis(down).flatMap((d) =>
    alongAxis(across).map((a) => ({ down: d.taps, across: a.taps, tapsDown: d.range, tapsAcross: a.range })),
  );
}

/**
 * Pixel p is met by window w through tap t where p = w stride - before + t dilation, so w = (p + before - t dilation) / stride: for
 * p = place + i stride these are whole for the same t, and w is i plus something that falls evenly from one such t to the next.
 */
function alongAxis({ size, windows, taps, stride, before, dilation }: Axis) {
  return Array.from({ length: Math.min(stride, size) }, (_, place) => {
    const meet = Array.from({ length: taps }, (_, t) => t).filter(
      (t) => (place + before - t * dilation) % stride === 0,
    );
    const [first = 0, second = first + 1] = meet;
    const apart = second - first;
    return {
      range: [first, apart, meet.length] as const,
      taps: {
        ...{
          size: windows,
          windows: Math.ceil((size - place) / stride),
          taps: meet.length,
          stride: 1,
          place,
          every: stride,
        },
        origin: (place + before - first * dilation) / stride,
        step: -(apart * dilation) / stride,
      },
    };
  });
}

/**
 * Those taps of the weights that a phase takes, filters and channels of each exchanged, as a strided copy from element `offset` on:
 * (taps, filters of a group, channels).
 */
export function turnedTaps({ groups, channels, filters, across }: ConvSizes, phase: Phase) {
  const [taken, ofGroup] = [channels / groups, filters / groups];
  const [firstDown, apartDown, countDown] = phase.tapsDown;
  const [firstAcross, apartAcross, countAcross] = phase.tapsAcross;
  const tap = taken * filters;
  return {
    offset: (firstDown * across.taps + firstAcross) * tap,
    dims: [countDown, countAcross, ofGroup, groups, taken],
    stridesX: [apartDown * across.taps * tap, apartAcross * tap, 1, ofGroup, filters],
    stridesY: [countAcross * ofGroup * channels, ofGroup * channels, channels, taken, 1],
    count: countDown * countAcross * ofGroup * channels,
  };
}
