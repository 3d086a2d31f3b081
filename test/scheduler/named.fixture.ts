/** Trains a classifier of texts with a checkpoint after every step until it is killed; bundled and started by named.test.ts. */
import { createEngine } from '../../src/index.ts';
import { texts, trainClassifier } from '../support/named-models.ts';

const engine = await createEngine({ backend: 'wasm', threads: 1, build: 'simd128', tiles: 'usual' });
const training = await trainClassifier(engine);
const checkpoint = { path: process.argv[2], everySteps: 1 };
for await (const { step } of training.fit(texts(96, 1).set, { batchSize: 16, epochs: 1e5, checkpoint }))
  process.stdout.write(`${step}\n`);
