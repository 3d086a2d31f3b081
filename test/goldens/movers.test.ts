import * as f from '../../src/functions/index.ts';
import { judge } from './kit.ts';

judge('movers', {
  pad: ([x], { pads, ...options }: { pads: number[] } & f.PadOptions) => f.pad(x, pads, options),
  squeeze: ([x], { axes }: { axes?: number[] }) => f.squeeze(x, axes),
  unsqueeze: ([x], { axis }: { axis: number }) => f.unsqueeze(x, axis),
  flatten: ([x], { start, end }: { start: number; end: number }) => f.flatten(x, start, end),
  unflatten: ([x], { axis, shape }: { axis: number; shape: number[] }) => f.unflatten(x, axis, shape),
  permute: ([x], { perm }: { perm: number[] }) => f.permute(x, perm),
  swapaxes: ([x], { a, b }: { a: number; b: number }) => f.swapaxes(x, a, b),
  movedim: ([x], { source, destination }: { source: number[]; destination: number[] }) =>
    f.movedim(x, source, destination),
  split: ([x], { size, axis }: { size: number; axis: number }) => f.split(x, size, axis),
  chunk: ([x], { chunks, axis }: { chunks: number; axis: number }) => f.chunk(x, chunks, axis),
  expand: ([x], { shape }: { shape: number[] }) => f.expand(x, shape),
  tile: ([x], { repeats }: { repeats: number[] }) => f.tile(x, repeats),
  repeat: ([x], { repeats }: { repeats: number[] }) => f.repeat(x, repeats),
  repeatInterleave: ([x], { repeats, axis }: { repeats: number; axis?: number }) =>
    f.repeatInterleave(x, repeats, axis),
  flip: ([x], { axes }: { axes: number[] }) => f.flip(x, axes),
  roll: ([x], { shifts, axes }: { shifts: number[]; axes?: number[] }) => f.roll(x, shifts, axes),
  gather: ([x, indices], { axis }: { axis: number }) => f.gather(x, indices, axis),
  indexSelect: ([x, indices], { axis }: { axis: number }) => f.indexSelect(x, indices, axis),
  gatherElements: ([x, indices], { axis }: { axis: number }) => f.gatherElements(x, indices, axis),
  takeAlongDim: ([x, indices], { axis }: { axis: number }) => f.takeAlongDim(x, indices, axis),
  scatterAdd: ([x, indices, source], { axis }: { axis: number }) => f.scatterAdd(x, indices, source, axis),
  oneHot: ([indices], { classes }: { classes: number }) => f.oneHot(indices, classes),
  embedding: ([indices, weight], options: f.EmbeddingOptions) => f.embedding(indices, weight, options),
  diagonal: ([x], { offset, axis1, axis2 }: { offset: number; axis1: number; axis2: number }) =>
    f.diagonal(x, offset, axis1, axis2),
  einsum: (xs, { equation }: { equation: string }) => f.einsum(equation, ...xs),
  stack: (xs, { axis }: { axis: number }) => f.stack(xs, axis),
  tril: ([x], { diagonal }: { diagonal: number }) => f.tril(x, diagonal),
  triu: ([x], { diagonal }: { diagonal: number }) => f.triu(x, diagonal),
  pixelShuffle: ([x], { factor }: { factor: number }) => f.pixelShuffle(x, factor),
  pixelUnshuffle: ([x], { factor }: { factor: number }) => f.pixelUnshuffle(x, factor),
  interpolate: ([x], options: f.InterpolateOptions) => f.interpolate(x, options),
});
