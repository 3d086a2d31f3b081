export * from './losses/classes.ts';
export * from './losses/elements.ts';
export type { Loss, LossOptions, Target, Weighted } from './losses/loss.ts';
export * from './losses/pairs.ts';
