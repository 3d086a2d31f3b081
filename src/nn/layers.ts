export * from './activation.ts';
export * from './dropout.ts';
export * from './layout.ts';
export * from './matmul.ts';
export * from './norm.ts';
export * from './pool.ts';
export * from './sequential.ts';
export * from './softmax.ts';
