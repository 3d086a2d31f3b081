export * from './classes.ts';
export { type Gathering, isMetric, type Metric, measure, type Numbers } from './metric.ts';
export * from './values.ts';
