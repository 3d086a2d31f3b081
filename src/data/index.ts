export { type ArraySource, type FieldSource, fromArrays, type NamedSource } from './arrays.ts';
export * from './dataset.ts';
export { classWeights, type FoldOptions, kFolds } from './folds.ts';
export { type IdxArray, parseIdx } from './idx.ts';
export { encodeNpy, type NpyArray, parseNpy } from './npy.ts';
export { batchOrder } from './order.ts';
export { type Split, type SplitOptions, split } from './split.ts';
export {
  type Scaling,
  type Standardization,
  standardize,
  type Transform,
  transformed,
} from './transform.ts';
