export * from './optimizer.ts';
export { type CosineOptions, cosine } from './schedule.ts';
