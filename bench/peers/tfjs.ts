import * as tf from '@tensorflow/tfjs';
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import type { BenchCase, Problem } from '../run/case.ts';
import { batch } from '../suites/models.ts';
import { layersOf, transposed } from './model.ts';
import type { Peer, PeerPlace, PeerRun } from './peer.ts';

/** On WebAssembly it finds no threads in Node, whatever it is asked for. */
export async function open({ backend, threads }: PeerPlace): Promise<Peer> {
  if (backend === 'webgpu') await import('@tensorflow/tfjs-backend-webgpu');
  else {
    setWasmPaths(new URL('node_modules/@tensorflow/tfjs-backend-wasm/dist/', import.meta.url).pathname);
    setThreadsCount(threads);
  }
  if (!(await tf.setBackend(backend))) throw new Error(`it finds no ${backend} here`);
  await tf.ready();
  return { threads: 1, backend, prepare };
}

/**
 * Ends a run. On WebAssembly a call is over when it returns, and pays for no promise; on a GPU reading the result is the one
 * sure way to wait for it.
 */
function end(y: tf.Tensor): void | Promise<void> {
  if (tf.getBackend() === 'wasm') return void y.dispose();
  return y.data().then(() => y.dispose());
}

async function prepare({ problem }: BenchCase): Promise<PeerRun | undefined> {
  if (problem.kind === 'op') return op(problem);
  if (problem.kind === 'train') return train(problem.widths, problem.batch);
  return problem.precision === 'f32' ? infer(problem.widths, problem.batch) : undefined;
}

const functions: Record<string, ((x: tf.Tensor[], attrs: Record<string, never>) => tf.Tensor) | undefined> = {
  matmul: ([a, b], { transposeA, transposeB }) => tf.matMul(a, b, transposeA, transposeB),
  relu: ([x]) => tf.relu(x),
  silu: ([x]) => tf.mul(x, tf.sigmoid(x)),
  sigmoid: ([x]) => tf.sigmoid(x),
  tanh: ([x]) => tf.tanh(x),
  softplus: ([x]) => tf.softplus(x),
  softmax: ([x]) => tf.softmax(x),
  // 0.5 x (1 + erf(x / sqrt 2)), as its layers package has it.
  gelu: ([x]) => tf.mul(tf.mul(x, 0.5), tf.add(1, tf.erf(tf.mul(x, Math.SQRT1_2)))),
};

function op({ op, inputs, attrs, data }: Extract<Problem, { kind: 'op' }>): PeerRun | undefined {
  if (op === 'sgd' || op === 'adamw') return update(op, data as Float32Array[]);
  const f = functions[op];
  if (!f) return undefined;
  const tensors = inputs.map((spec, i) => tf.tensor(data[i] as Float32Array, [...spec.shape], 'float32'));
  const apply = () => tf.tidy(() => f(tensors, attrs as never));
  return {
    async answer() {
      const y = apply();
      const values = (await y.data()) as Float32Array;
      y.dispose();
      return [values.slice()];
    },
    run: () => end(apply()),
    dispose: () => tf.dispose(tensors),
  };
}

/** Its optimizers keep moments of their own, so the answer is not that of the case: plain SGD alone can be compared. */
function update(op: 'sgd' | 'adamw', [p, g]: Float32Array[]): PeerRun | undefined {
  if (op === 'adamw') return undefined;
  const variable = tf.variable(tf.tensor1d(p));
  const gradient = tf.tensor1d(g);
  const optimizer = tf.train.sgd(1e-3);
  const step = () => optimizer.applyGradients({ [variable.name]: gradient });
  return {
    async answer() {
      step();
      return [((await variable.data()) as Float32Array).slice()];
    },
    run() {
      step();
      return tf.getBackend() === 'wasm' ? undefined : variable.data().then(() => undefined);
    },
    dispose: () => tf.dispose([variable, gradient]),
  };
}

const forward = (x: tf.Tensor2D, weights: readonly tf.Tensor[]): tf.Tensor2D => {
  let y = x;
  for (let i = 0; i < weights.length; i += 2) {
    y = tf.add(tf.matMul(y, weights[i] as tf.Tensor2D), weights[i + 1]);
    if (i + 2 < weights.length) y = tf.relu(y);
  }
  return y;
};

async function train(widths: readonly number[], size: number): Promise<PeerRun> {
  const layers = await layersOf(widths);
  const start = () =>
    layers.flatMap((l) => [
      tf.variable(tf.tensor2d(transposed(l), [l.inputs, l.outputs])),
      tf.variable(tf.tensor1d(l.bias)),
    ]);
  const data = (count: number) => {
    const { x, t } = batch(count);
    return { x: tf.tensor2d(x, [count, 784]), t: tf.oneHot(tf.tensor1d(t, 'int32'), 10) };
  };
  const stepper = (count: number) => {
    const weights = start();
    const optimizer = tf.train.adam(1e-3);
    const { x, t } = data(count);
    return () =>
      optimizer.minimize(() => tf.losses.softmaxCrossEntropy(t, forward(x, weights)), true, weights)!;
  };
  const step = stepper(size);
  return {
    async answer() {
      const small = stepper(4);
      const losses: number[] = [];
      for (let i = 0; i < 2; i++) losses.push((await small().data())[0]);
      return [Float32Array.from(losses)];
    },
    async run() {
      const loss = step();
      await loss.data();
      loss.dispose();
    },
    dispose() {},
  };
}

async function infer(widths: readonly number[], size: number): Promise<PeerRun> {
  const weights = (await layersOf(widths)).flatMap((l) => [
    tf.tensor2d(transposed(l), [l.inputs, l.outputs]),
    tf.tensor1d(l.bias),
  ]);
  const { x } = batch(size);
  const call = async () => {
    const y = tf.tidy(() => forward(tf.tensor2d(x, [size, 784]), weights));
    const values = (await y.data()) as Float32Array;
    y.dispose();
    return values;
  };
  return {
    answer: async () => [(await call()).slice()],
    run: async () => void (await call()),
    dispose: () => tf.dispose(weights),
  };
}
