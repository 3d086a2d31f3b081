/** The part of the benchmark that is published, for `npx biphase bench`: what needs no peers, no charts and no repository. */
import { machineOf } from './run/machine.ts';

export { Limits, limitUnits } from './run/limits.ts';
export { run } from './run/run.ts';
export { casesOf, suites } from './suites/index.ts';

export const about = () => ({
  ...machineOf(`node ${process.versions.node}`),
  command: `biphase bench ${process.argv.slice(3).join(' ')}`.trim(),
});
