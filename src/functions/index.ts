export * from './activation.ts';
export type { Operand } from './apply.ts';
export * from './dropout.ts';
export * from './elementwise.ts';
export * from './gather.ts';
export * from './layout.ts';
export * from './matmul.ts';
export * from './reduce.ts';
export * from './softmax.ts';
