export * from './dataset.ts';
export { batchOrder } from './order.ts';
