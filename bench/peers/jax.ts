import { blockUntilReady, defaultDevice, init, jit, nn, numpy as np, valueAndGrad } from '@jax-js/jax';
import type { BenchCase, Problem } from '../run/case.ts';
import { batch } from '../suites/models.ts';
import { layersOf, transposed } from './model.ts';
import type { Peer, PeerPlace, PeerRun } from './peer.ts';

type A = np.Array;

/** Everything under jit. Its WebAssembly backend has threads on a cross-origin isolated page only. */
export async function open({ backend }: Pick<PeerPlace, 'backend'>): Promise<Peer> {
  const found = await init(backend);
  if (!found.includes(backend)) throw new Error(`it finds no ${backend} here`);
  defaultDevice(backend);
  return { threads: 1, backend, prepare };
}

async function prepare({ problem }: BenchCase): Promise<PeerRun | undefined> {
  if (problem.kind === 'op') return op(problem);
  if (problem.kind === 'train') return train(problem.widths, problem.batch);
  return problem.precision === 'f32' ? infer(problem.widths, problem.batch) : undefined;
}

const array = (values: Float32Array | Int32Array, shape: readonly number[]): A =>
  np.array(values as Float32Array, { shape: [...shape] }) as A;

const turn = (x: A, swapped: boolean): A => (swapped ? np.transpose(x) : x) as A;

const functions: Record<string, ((...x: A[]) => A) | undefined> = {
  relu: (x) => nn.relu(x) as A,
  silu: (x) => nn.silu(x) as A,
  sigmoid: (x) => nn.sigmoid(x) as A,
  tanh: (x) => np.tanh(x) as A,
  softplus: (x) => nn.softplus(x) as A,
  softmax: (x) => nn.softmax(x) as A,
  hardswish: (x) => nn.hardSwish(x) as A,
  gelu: (x) => nn.gelu(x, { approximate: false }) as A,
};

function op({ op, inputs, attrs, data }: Extract<Problem, { kind: 'op' }>): PeerRun | undefined {
  const { transposeA, transposeB } = attrs as { transposeA?: boolean; transposeB?: boolean };
  const plain =
    op === 'matmul'
      ? (a: A, b: A) => np.matmul(turn(a, !!transposeA), turn(b, !!transposeB)) as A
      : functions[op];
  if (!plain) return undefined;
  const f = jit(plain as never) as unknown as (...x: A[]) => A;
  const arrays = inputs.map((spec, i) => array(data[i] as Float32Array, spec.shape));
  const apply = () => f(...arrays.map((a) => a.ref));
  return {
    answer: async () => [(await apply().data()) as Float32Array],
    async run() {
      const y = apply();
      await blockUntilReady(y);
      y.dispose();
    },
    dispose() {
      for (const a of arrays) a.dispose();
    },
  };
}

const forward = (x: A, weights: readonly A[]): A => {
  let y = x;
  for (let i = 0; i < weights.length; i += 2) {
    y = np.add(np.matmul(y, weights[i]), weights[i + 1]) as A;
    if (i + 2 < weights.length) y = nn.relu(y) as A;
  }
  return y;
};

const startOf = async (widths: readonly number[]): Promise<A[]> =>
  (await layersOf(widths)).flatMap((l) => [
    array(transposed(l), [l.inputs, l.outputs]),
    array(l.bias, [l.outputs]),
  ]);

const lossOf = (weights: A[], x: A, t: A): A =>
  np.negative(np.mean(np.sum(np.multiply(nn.logSoftmax(forward(x, weights)), t), -1))) as A;

/** One step of Adam under one jit: weights, moments and the step's number in, the same and the loss out. */
function step(weights: A[], m: A[], v: A[], count: A, x: A, t: A) {
  const [loss, gradients] = valueAndGrad(lossOf as never)(
    ...([weights.map((w) => w.ref), x, t] as never),
  ) as unknown as [A, A[]];
  const n = np.add(count, 1) as A;
  const first = np.subtract(1, np.power(0.9, n.ref)) as A;
  const second = np.subtract(1, np.power(0.999, n.ref)) as A;
  const next = weights.map((w, i) => {
    const g = gradients[i];
    const mean = np.add(np.multiply(m[i], 0.9), np.multiply(g.ref, 0.1)) as A;
    const square = np.add(np.multiply(v[i], 0.999), np.multiply(np.multiply(g.ref, g), 0.001)) as A;
    const change = np.divide(
      np.divide(mean.ref, first.ref),
      np.add(np.sqrt(np.divide(square.ref, second.ref)), 1e-8),
    );
    return { w: np.subtract(w, np.multiply(change, 1e-3)) as A, mean, square };
  });
  first.dispose();
  second.dispose();
  return [next.map((o) => o.w), next.map((o) => o.mean), next.map((o) => o.square), n, loss] as const;
}

async function train(widths: readonly number[], size: number): Promise<PeerRun> {
  const compiled = jit(step as never) as unknown as typeof step;
  const stepper = async (samples: number) => {
    const { x, t } = batch(samples);
    const inputs = array(x, [samples, 784]);
    const targets = nn.oneHot(array(t, [samples]), 10) as A;
    let weights = await startOf(widths);
    const zeros = () => weights.map((w) => np.zerosLike(w.ref) as A);
    let [m, v] = [zeros(), zeros()];
    let count = np.array(0) as A;
    return async () => {
      const result = compiled(weights, m, v, count, inputs.ref, targets.ref);
      weights = result[0];
      m = result[1];
      v = result[2];
      count = result[3];
      const [loss] = await result[4].data();
      return loss;
    };
  };
  const run = await stepper(size);
  return {
    async answer() {
      const small = await stepper(4);
      return [Float32Array.from([await small(), await small()])];
    },
    run: async () => void (await run()),
    dispose() {},
  };
}

async function infer(widths: readonly number[], size: number): Promise<PeerRun> {
  const weights = await startOf(widths);
  const call = jit(((x: A, ...w: A[]) => forward(x, w)) as never) as unknown as (...x: A[]) => A;
  const { x } = batch(size);
  const run = async () =>
    (await call(array(x, [size, 784]), ...weights.map((w) => w.ref)).data()) as Float32Array;
  return {
    answer: async () => [await run()],
    run: async () => void (await run()),
    dispose() {
      for (const w of weights) w.dispose();
    },
  };
}
