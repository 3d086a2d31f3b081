import { nodeGPU } from '../../src/backend/webgpu/node.ts';
import { prepareGPU } from '../../tools/hosts/software-gpu.ts';
import { sample } from '../run/measure.ts';
import { suites } from '../suites/index.ts';
import type { Peer, PeerPlace, PeerRun } from './peer.ts';

/** A process of its own for each peer: `child.ts NAME BACKEND THREADS QUICK`. Told by messages what to prepare and when to sample. */
const [name, backend, threads, quick] = process.argv.slice(2);
const peers: Record<string, () => Promise<{ open(place: PeerPlace): Promise<Peer> }>> = {
  tfjs: () => import('./tfjs.ts'),
  onnxruntime: () => import('./onnxruntime.ts'),
  jax: () => import('./jax.ts'),
  biphase: () => import('./biphase.ts'),
};

/** The same Dawn that the engine runs on, where peers look for it: they take Node for a worker of a page. */
async function offerGPU(): Promise<void> {
  await prepareGPU();
  const gpu = await nodeGPU();
  if (typeof gpu === 'string') throw new Error(gpu);
  const navigator = globalThis.navigator ?? { userAgent: 'Node.js', platform: 'Linux' };
  Object.defineProperty(navigator, 'gpu', { value: gpu });
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });
  Object.assign(globalThis, { self: globalThis, WorkerGlobalScope: class {} });
}

if (backend === 'webgpu') await offerGPU();
const peer = await (await peers[name]()).open({
  backend: backend as PeerPlace['backend'],
  threads: Number(threads),
});
let current: PeerRun | undefined;

process.on(
  'message',
  async (message: { suite?: string; name?: string; seconds?: number; fewest?: number }) => {
    try {
      if (message.suite) {
        current?.dispose();
        const found = suites[message.suite](quick === 'true').find((c) => c.name === message.name)!;
        current = await peer.prepare(found);
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
