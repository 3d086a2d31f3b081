import { cpus } from 'node:os';

/** When, and where. */
export const machineOf = (runtime: string) => ({
  date: new Date().toISOString().slice(0, 10),
  machine: `${cpus()[0].model}, ${cpus().length} cores, ${process.platform} ${process.arch}`,
  runtime,
});
