export * from './activation.ts';
export type { Operand } from './apply.ts';
export {
  type ConvOptions,
  type ConvTransposeOptions,
  conv1d,
  conv2d,
  convTranspose1d,
  convTranspose2d,
} from './conv.ts';
export * from './dropout.ts';
export * from './elementwise.ts';
export * from './gather.ts';
export * from './layout.ts';
export * from './matmul.ts';
export * from './norm.ts';
export type { Layout, Sizes } from './pixels.ts';
export * from './pool.ts';
export * from './reduce.ts';
export * from './softmax.ts';
export * from './variable.ts';
