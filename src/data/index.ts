export { type ArraySource, type FieldSource, fromArrays, type NamedSource } from './arrays.ts';
export type { AnySamples } from './batches.ts';
export {
  type AnyDataSet,
  type Arrays,
  type DataSet,
  type NamedDataSet,
  named,
  pick,
  type SampleType,
  subset,
} from './dataset.ts';
export { classWeights, type FoldOptions, kFolds } from './folds.ts';
export { type IdxArray, parseIdx } from './idx.ts';
export { type MapOptions, type MappedRows, map, type RowFunction } from './map.ts';
export { encodeNpy, type NpyArray, parseNpy } from './npy.ts';
export { batchOrder } from './order.ts';
export { concat, skip, take } from './parts.ts';
export type { Rows, RowsGiven, RowTypes, RowValues, SampleTypes } from './rows.ts';
export { balance, type DrawOptions, sample } from './sample.ts';
export { type ShuffleOptions, shuffle } from './shuffle.ts';
export { type Split, type SplitOptions, split } from './split.ts';
export {
  fromStream,
  type RowIterable,
  type StreamDataSet,
  type StreamOptions,
  type StreamSource,
} from './stream.ts';
export {
  type Scaling,
  type Standardization,
  standardize,
  type Transform,
  transformed,
} from './transform.ts';
