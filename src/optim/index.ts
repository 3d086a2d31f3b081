export * from './optimizer.ts';
export { cosine } from './schedule.ts';
