/** Runs once, around the whole test run, in the process that starts the others. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepareGPU } from '../../tools/hosts/software-gpu.ts';
import { required } from './parts.ts';

export default async function setup(): Promise<() => void> {
  required(); // a name that no part has should stop the run at once, not pass it
  await prepareGPU(); // unpacks, so that the first test does not pay for it

  const folder = mkdtempSync(join(tmpdir(), 'biphase-'));
  const skips = join(folder, 'skips');
  writeFileSync(skips, '');
  process.env.BIPHASE_SKIPS = skips;
  return () => {
    const reasons = [...new Set(readFileSync(skips, 'utf8').split('\n').filter(Boolean))];
    if (reasons.length) console.log(`\nSkipped, because a part is missing:\n  ${reasons.join('\n  ')}\n`);
    rmSync(folder, { recursive: true });
  };
}
