export * from './activation.ts';
export type { Operand } from './apply.ts';
export {
  add,
  atan2,
  div,
  fmod,
  lerp,
  maximum,
  minimum,
  mul,
  type NumberOr,
  pow,
  remainder,
  sub,
} from './binary.ts';
export * from './compare.ts';
export {
  type ConvOptions,
  type ConvTransposeOptions,
  conv1d,
  conv2d,
  convTranspose1d,
  convTranspose2d,
} from './conv.ts';
export { alphaDropout, type ChannelDropoutOptions, dropout, dropout1d, dropout2d } from './dropout.ts';
export { diagonal, einsum } from './einsum.ts';
export * from './elementwise.ts';
export {
  type EmbeddingOptions,
  embedding,
  gather,
  gatherElements,
  indexSelect,
  oneHot,
  scatterAdd,
  takeAlongDim,
} from './gather.ts';
export { type InterpolateOptions, interpolate } from './interpolate.ts';
export * from './layout.ts';
export * from './matmul.ts';
export * from './norm.ts';
export { type PadOptions, pad, roll } from './pad.ts';
export { pixelShuffle, pixelUnshuffle } from './pixel-shuffle.ts';
export type { Layout, Sizes } from './pixels.ts';
export {
  type AdaptivePoolOptions,
  type AvgPoolOptions,
  adaptiveAvgPool2d,
  adaptiveMaxPool2d,
  avgPool1d,
  avgPool2d,
  type MaxPoolOptions,
  maxPool1d,
  maxPool2d,
  type PoolOptions,
} from './pool.ts';
export {
  all,
  any,
  argmax,
  argmin,
  countNonzero,
  logsumexp,
  max,
  mean,
  min,
  type NormOfOptions,
  norm,
  type PositionOptions,
  prod,
  type ReduceOptions,
  std,
  sum,
  type VarianceOptions,
  variance,
} from './reduce.ts';
export { type CumsumOptions, cumsum } from './scan.ts';
export {
  chunk,
  expand,
  flatten,
  flip,
  movedim,
  permute,
  repeat,
  repeatInterleave,
  split,
  squeeze,
  stack,
  swapaxes,
  tile,
  unflatten,
  unsqueeze,
} from './shape.ts';
export * from './softmax.ts';
export { type Sorted, type SortOptions, sort, type TopkOptions, topk } from './sort.ts';
export { tril, triu } from './triangle.ts';
export * from './unary.ts';
export * from './variable.ts';
