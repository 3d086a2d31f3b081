/** Runs suites on a page; bundled, with or without peers. */

import { createEngine, type EngineOptions } from '../src/index.ts';
import type { Comparable } from './comparable.ts';
import { sample } from './measure.ts';
import type { PeerRun } from './peers/peer.ts';
import { run } from './run.ts';
import { suites } from './suites/index.ts';

/** Set when this is bundled: whether the peers are installed. */
declare const PEERS: boolean;

/** jax-js on the same page: it has threads here, and nowhere else. */
async function jax(): Promise<Comparable> {
  const peer = await (await import('./peers/jax.ts')).open();
  let current: PeerRun | undefined;
  return {
    ...{ name: '@jax-js/jax', threads: navigator.hardwareConcurrency, backend: peer.backend },
    async prepare(c) {
      current?.dispose();
      current = await peer.prepare(c.problem);
      return current?.answer();
    },
    sample: (options) => sample(current!.run, options),
  };
}

async function bench(wanted: readonly string[], options: EngineOptions & { quick: boolean }) {
  const engine = await createEngine(options);
  const scope = globalThis as unknown as { print(line: string): Promise<void> };
  await scope.print(`${engine.backend.description}\n`);
  const peers = PEERS ? [await jax()] : [];
  const cases = wanted.flatMap((name) => suites[name](options.quick));
  const result = await run(engine, peers, cases, {
    quick: options.quick,
    print: (line) => void scope.print(line),
  });
  engine.dispose();
  return result;
}

export type Bench = typeof bench;
Object.assign(globalThis, { bench });
