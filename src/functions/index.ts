export * from './activation.ts';
export type { Operand } from './apply.ts';
export {
  type ConvOptions,
  type ConvTransposeOptions,
  conv1d,
  conv2d,
  convTranspose1d,
  convTranspose2d,
  type Layout,
  type Sizes,
} from './conv.ts';
export * from './dropout.ts';
export * from './elementwise.ts';
export * from './gather.ts';
export * from './layout.ts';
export * from './matmul.ts';
export * from './norm.ts';
export { maxPool2d, type Pool2dOptions, type Size2d } from './pool.ts';
export * from './reduce.ts';
export * from './softmax.ts';
export * from './variable.ts';
