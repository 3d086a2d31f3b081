import { sample } from '../measure.ts';
import { suites } from '../suites/index.ts';
import type { Peer, PeerRun } from './peer.ts';

/** A process of its own for each peer: `child.ts NAME THREADS QUICK`. Told by messages what to prepare and when to sample. */
const [name, threads, quick] = process.argv.slice(2);
const peers: Record<string, () => Promise<{ open(threads: number): Promise<Peer> }>> = {
  tfjs: () => import('./tfjs.ts'),
  onnxruntime: () => import('./onnxruntime.ts'),
  jax: () => import('./jax.ts'),
};
const peer = await (await peers[name]()).open(Number(threads));
let current: PeerRun | undefined;

process.on(
  'message',
  async (message: { suite?: string; name?: string; seconds?: number; fewest?: number }) => {
    try {
      if (message.suite) {
        current?.dispose();
        const found = suites[message.suite](quick === 'true').find((c) => c.name === message.name)!;
        current = await peer.prepare(found.problem);
        process.send!(current ? { answer: await current.answer() } : { unsupported: true });
      } else {
        const samples = await sample(current!.run, { seconds: message.seconds!, fewest: message.fewest! });
        process.send!({ samples });
      }
    } catch (error) {
      process.send!({ error: (error as Error).message });
    }
  },
);
process.send!({ ready: true, threads: peer.threads, backend: peer.backend });
