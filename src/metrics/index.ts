export * from './classes.ts';
export { type Gathering, type Metric, measure, type Numbers } from './metric.ts';
export * from './values.ts';
