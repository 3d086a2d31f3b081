/** Threads on a page or in a worker of its own: both load this file, bundled. */
import { createEngine, nn, optim } from '../../../src/index.ts';

export interface PageReport {
  readonly description: string;
  readonly isolated: boolean;
  /** Of the weights after some steps. */
  readonly weights: number[];
}

/** Big enough for the scheduler to use threads. */
const model = () => nn.sequential(nn.linear(256, 512), nn.relu(), nn.linear(512, 10));

export async function train(threads: number, steps: number): Promise<PageReport> {
  const engine = await createEngine({ backend: 'wasm', build: 'simd128', threads });
  const training = await engine.train(model(), {
    loss: nn.crossEntropy,
    optimizer: optim.adam(),
    input: [256],
    seed: 1,
  });
  const x = Float32Array.from({ length: 128 * 256 }, (_, i) => Math.sin(i));
  const t = Int32Array.from({ length: 128 }, (_, i) => i % 10);
  for (let i = 0; i < steps; i++) await training.stepOn(x, t, 128);
  const frozen = await training.freeze();
  const weights = frozen.parameters.flatMap(({ parameter }) => [...frozen.values(parameter)]);
  const { description } = engine.backend;
  engine.dispose();
  return { description, isolated: globalThis.crossOriginIsolated === true, weights };
}

const scope = globalThis as typeof globalThis & { train?: typeof train };
if (typeof document !== 'undefined') scope.train = train;
else if ('WorkerGlobalScope' in globalThis)
  scope.onmessage = ({ data }: MessageEvent<[number, number]>) =>
    void train(...data).then((report) => scope.postMessage(report));
