export * from './dataset.ts';
export { type IdxArray, parseIdx } from './idx.ts';
export { encodeNpy, type NpyArray, parseNpy } from './npy.ts';
export { batchOrder } from './order.ts';
