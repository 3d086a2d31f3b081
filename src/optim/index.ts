export * from './adaptive.ts';
export * from './compose.ts';
export * from './cycles.ts';
export type { Group, Grouped } from './groups.ts';
export type { GroupRule, Groups, Match, Optimizer, OptimizerOptions } from './optimizer.ts';
export * from './plateau.ts';
export type { Observation, Rate, Schedule } from './rate.ts';
export * from './schedules.ts';
export {
  type AdamOptions,
  adam,
  adamw,
  type MomentsOptions,
  type SgdOptions,
  sgd,
} from './sgd-adam.ts';
