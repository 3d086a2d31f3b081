/** Trains with a checkpoint after every step until it is killed; bundled and started by checkpoint.test.ts. */
import { createEngine } from '../../src/index.ts';
import { ENDLESS, KEPT, keptData, keptTraining } from '../support/kept-training.ts';

const [path, everySteps, epochs = String(ENDLESS)] = process.argv.slice(2);
const engine = await createEngine({ backend: 'wasm', threads: 1, build: 'simd128', tiles: 'usual' });
const training = await keptTraining(engine);
const checkpoint = { path, everySteps: Number(everySteps), resume: true };
try {
  for await (const { step } of training.fit(keptData(), { ...KEPT, epochs: Number(epochs), checkpoint }))
    process.stdout.write(`${step}\n`);
} catch (error) {
  process.stdout.write(`${(error as { code: string }).code}: ${(error as Error).message}\n`);
}
engine.dispose();
