import { createEngine } from '../../src/index.ts';
import type { Peer, PeerPlace } from './peer.ts';

/** This library itself, in a process whose flags are not those of the benchmark's own. */
export async function open({ backend, threads }: PeerPlace): Promise<Peer> {
  const engine = await createEngine({ backend, threads });
  return { threads: engine.backend.threads, backend, prepare: (c) => c.prepare(engine) };
}
