import { PeerProcess } from '../../bench/peers.ts';
import type { Result } from '../../bench/run/case.ts';
import { peersOn } from '../../bench/run/comparable.ts';
import { run } from '../../bench/run/run.ts';
import { casesOf } from '../../bench/suites/index.ts';
import type { Engine } from '../../src/index.ts';
import type { Budget } from './budget.ts';

/** What people ask first comes first: a machine may be lent for minutes. */
const ORDER = ['train', 'matmul', 'infer', 'matmul_i8', 'activation', 'optimizer'];
/** In seconds, of a case on one engine: preparing, judging, three turns. */
const ABOUT = 3;

/** Every case beside the peers for WebGPU, as far as the time goes. `keep` is called with all results so far after each case. */
export async function benchmark(
  engine: Engine,
  {
    quick,
    only,
    budget,
    print,
    keep,
  }: { quick: boolean; only: string; budget: Budget; print(line: string): void; keep(all: Result[]): void },
): Promise<{ wrong: number }> {
  const peers: PeerProcess[] = [];
  for (const name of peersOn.webgpu) {
    const place = { backend: 'webgpu', threads: 1 } as const;
    if (!budget.fits(`the peer ${name}`, ABOUT)) continue;
    await PeerProcess.start(name, place, quick).then(
      (peer) => peers.push(peer),
      (error: Error) => print(`  the peer ${name} does not start: ${error.message}`),
    );
  }
  const results: Result[] = [];
  let wrong = 0;
  try {
    for (const c of casesOf(ORDER, { quick, only })) {
      if (!budget.fits(`benchmark of ${c.suite} ${c.name}`, ABOUT * (1 + peers.length))) continue;
      const done = await run(engine, peers, [c], { quick, print });
      results.push(...done.results);
      wrong += done.wrong;
      keep(results);
    }
  } finally {
    for (const peer of peers) peer.stop();
  }
  return { wrong };
}
