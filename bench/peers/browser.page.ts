/** The page of bench/browser.ts with jax-js beside us: it has threads there, and nowhere else. */
import type { Comparable } from '../run/comparable.ts';
import { sample } from '../run/measure.ts';
import { offer } from '../suites/on-page.ts';
import { open } from './jax.ts';
import type { PeerRun } from './peer.ts';

async function jax(): Promise<Comparable> {
  const { backend, prepare } = await open({ backend: 'wasm' });
  let current: PeerRun | undefined;
  return {
    ...{ name: '@jax-js/jax', threads: navigator.hardwareConcurrency, backend },
    async prepare(c) {
      current?.dispose();
      current = await prepare(c);
      return current?.answer();
    },
    sample: (options) => sample(current!.run, options),
  };
}

offer(async () => [await jax()]);
