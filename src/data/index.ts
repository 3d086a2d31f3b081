export * from './dataset.ts';
export { type IdxArray, parseIdx } from './idx.ts';
export { batchOrder } from './order.ts';
