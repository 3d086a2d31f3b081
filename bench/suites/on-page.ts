import { createEngine, type EngineOptions } from '../../src/index.ts';
import type { Comparable } from '../run/comparable.ts';
import { run } from '../run/run.ts';
import { casesOf } from './index.ts';

/** Suites on a page: what bench/browser.ts calls there. */
export type Bench = (
  wanted: readonly string[],
  engineOptions: EngineOptions,
  options: { quick: boolean; only?: string },
) => ReturnType<typeof run>;

/** Puts `bench` where the page can be asked for it. */
export function offer(openPeers: () => Promise<Comparable[]>): void {
  const print = (line: string) =>
    (globalThis as unknown as { print(line: string): Promise<void> }).print(line);
  const bench: Bench = async (wanted, engineOptions, options) => {
    const engine = await createEngine(engineOptions);
    await print(`${engine.backend.description}\n`);
    const peers = await openPeers();
    const cases = casesOf(wanted, options);
    const result = await run(engine, peers, cases, {
      quick: options.quick,
      print: (line) => void print(line),
    });
    engine.dispose();
    return result;
  };
  Object.assign(globalThis, { bench });
}
