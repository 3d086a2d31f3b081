import * as ort from 'onnxruntime-web';
import type { Problem } from '../run/case.ts';
import { batch } from '../suites/models.ts';
import { layersOf } from './model.ts';
import { type OnnxGraph, onnxModel } from './onnx.ts';
import type { Layer, Peer, PeerPlace, PeerRun } from './peer.ts';

/** Its WebAssembly provider: weights constant, so that it packs them once; u8 inputs and i8 weights. */
export async function open({ threads }: PeerPlace): Promise<Peer> {
  ort.env.wasm.numThreads = threads;
  ort.env.logLevel = 'error';
  return { threads, backend: 'wasm', prepare: ({ problem }) => prepare(problem, threads) };
}

async function prepare(problem: Problem, threads: number): Promise<PeerRun | undefined> {
  if (problem.kind === 'train') return undefined;
  if (problem.kind === 'op') {
    const graph = opGraph(problem);
    return graph && session(graph, problem.data[0] as Float32Array | Uint8Array, threads);
  }
  const layers = await layersOf(problem.widths);
  const graph = problem.precision === 'f32' ? gemms(layers, problem.batch) : quantized(layers, problem.batch);
  return session(graph, batch(problem.batch).x, threads);
}

async function session(graph: OnnxGraph, x: Float32Array | Uint8Array, threads: number): Promise<PeerRun> {
  const session = await ort.InferenceSession.create(onnxModel(graph), {
    ...{ executionProviders: ['wasm'], graphOptimizationLevel: 'all', intraOpNumThreads: threads },
    executionMode: 'sequential',
  });
  const [name] = Object.keys(graph.inputs);
  const { dtype, shape } = graph.inputs[name];
  const feeds = { [name]: new ort.Tensor(dtype === 'f32' ? 'float32' : 'uint8', x as never, [...shape]) };
  return {
    answer: async () => [(await session.run(feeds)).y.data as Float32Array],
    run: async () => void (await session.run(feeds)),
    dispose: () => void session.release(),
  };
}

const unary: Record<string, string | undefined> = {
  ...{ relu: 'Relu', sigmoid: 'Sigmoid', tanh: 'Tanh', softplus: 'Softplus', hardswish: 'HardSwish' },
  ...{ gelu: 'Gelu', softmax: 'Softmax' },
};

function opGraph({ op, inputs, attrs, data }: Extract<Problem, { kind: 'op' }>): OnnxGraph | undefined {
  const [x] = inputs;
  if (unary[op]) {
    const type = { dtype: 'f32', shape: x.shape } as const;
    return {
      inputs: { x: type },
      outputs: { y: type },
      constants: {},
      nodes: [{ op: unary[op], inputs: ['x'], output: 'y' }],
    };
  }
  if (op === 'matmul') {
    const { transposeA, transposeB } = attrs as { transposeA: boolean; transposeB: boolean };
    const [m, n] = [x.shape[transposeA ? 1 : 0], inputs[1].shape[transposeB ? 0 : 1]];
    return {
      inputs: { x: { dtype: 'f32', shape: x.shape } },
      outputs: { y: { dtype: 'f32', shape: [m, n] } },
      constants: { w: { dtype: 'f32', shape: inputs[1].shape, data: data[1] } },
      nodes: [
        { op: 'Gemm', inputs: ['x', 'w'], output: 'y', attrs: { transA: +transposeA, transB: +transposeB } },
      ],
    };
  }
  if (op === 'matmul_i8') return integerProduct(x.shape, inputs[1].shape, data[1] as Int8Array, attrs);
  return undefined;
}

/** u8 x i8 with one scale for each output, the case's own: multiplier / 2^shift. */
function integerProduct(
  [m, k]: readonly number[],
  [n]: readonly number[],
  weight: Int8Array,
  attrs: object,
): OnnxGraph {
  const { shift, zeroPoint } = attrs as { shift: number; zeroPoint: number };
  const turned = new Int8Array(weight.length);
  for (let o = 0; o < n; o++) for (let i = 0; i < k; i++) turned[i * n + o] = weight[o * k + i];
  const scale = 2 ** (30 - shift);
  return {
    inputs: { x: { dtype: 'u8', shape: [m, k] } },
    outputs: { y: { dtype: 'u8', shape: [m, n] } },
    constants: {
      ...scalars({ xs: 1, ys: 1 }, { xz: 0, yz: zeroPoint }),
      w: { dtype: 'i8', shape: [k, n], data: turned },
      ws: { dtype: 'f32', shape: [n], data: new Float32Array(n).fill(scale) },
      wz: { dtype: 'i8', shape: [n], data: new Int8Array(n) },
    },
    nodes: [{ op: 'QLinearMatMul', inputs: ['x', 'xs', 'xz', 'w', 'ws', 'wz', 'ys', 'yz'], output: 'y' }],
  };
}

function scalars(floats: Record<string, number>, zeroPoints: Record<string, number>): OnnxGraph['constants'] {
  return Object.fromEntries([
    ...Object.entries(floats).map(([name, v]) => [
      name,
      { dtype: 'f32', shape: [], data: Float32Array.of(v) },
    ]),
    ...Object.entries(zeroPoints).map(([name, v]) => [
      name,
      { dtype: 'u8', shape: [], data: Uint8Array.of(v) },
    ]),
  ]);
}

const wholeModel = (layers: readonly Layer[], size: number) =>
  ({
    inputs: { x: { dtype: 'f32', shape: [size, layers[0].inputs] } },
    outputs: { y: { dtype: 'f32', shape: [size, layers.at(-1)!.outputs] } },
  }) as const;

function gemms(layers: readonly Layer[], size: number): OnnxGraph {
  const last = layers.length - 1;
  return {
    ...wholeModel(layers, size),
    constants: Object.fromEntries(
      layers.flatMap((l, i) => [
        [`w${i}`, { dtype: 'f32', shape: [l.outputs, l.inputs], data: l.weight }],
        [`b${i}`, { dtype: 'f32', shape: [l.outputs], data: l.bias }],
      ]),
    ),
    nodes: layers.flatMap((_, i) => [
      {
        op: 'Gemm',
        inputs: [i ? `r${i - 1}` : 'x', `w${i}`, `b${i}`],
        output: i < last ? `h${i}` : 'y',
        attrs: { transB: 1 },
      },
      ...(i < last ? [{ op: 'Relu', inputs: [`h${i}`], output: `r${i}` }] : []),
    ]),
  };
}

/** Largest absolute value each layer puts out for the calibration batch, after relu but for the last. */
function rangesOf(layers: readonly Layer[], x: Float32Array, size: number): [low: number, high: number][] {
  const ranges: [number, number][] = [];
  let values = x;
  layers.forEach(({ inputs, outputs, weight, bias }, at) => {
    const next = new Float32Array(size * outputs);
    for (let s = 0; s < size; s++)
      for (let o = 0; o < outputs; o++) {
        let sum = bias[o];
        for (let i = 0; i < inputs; i++) sum += values[s * inputs + i] * weight[o * inputs + i];
        next[s * outputs + o] = at < layers.length - 1 ? Math.max(0, sum) : sum;
      }
    values = next;
    ranges.push([values.reduce((a, b) => Math.min(a, b), 0), values.reduce((a, b) => Math.max(a, b), 0)]);
  });
  return ranges;
}

/** QuantizeLinear, one QGemm for each layer (relu is the clamping at a zero point of 0), DequantizeLinear. */
function quantized(layers: readonly Layer[], size: number): OnnxGraph {
  const ranges = rangesOf(layers, batch(64).x, 64);
  const constants: OnnxGraph['constants'] = scalars({ s0: 1 / 255 }, { z0: 0 });
  layers.forEach(({ inputs, outputs, weight, bias }, at) => {
    const inputScale = (constants[`s${at}`].data as Float32Array)[0];
    const inputZero = (constants[`z${at}`].data as Uint8Array)[0];
    const [low, high] = ranges[at];
    const scale = (high - low) / 255;
    Object.assign(
      constants,
      scalars({ [`s${at + 1}`]: scale }, { [`z${at + 1}`]: Math.round(-low / scale) }),
    );
    const [w, ws, b] = [new Int8Array(weight.length), new Float32Array(outputs), new Int32Array(outputs)];
    for (let o = 0; o < outputs; o++) {
      const row = weight.subarray(o * inputs, (o + 1) * inputs);
      ws[o] = row.reduce((a, v) => Math.max(a, Math.abs(v)), 1e-9) / 127;
      row.forEach((v, i) => {
        w[i * outputs + o] = Math.round(v / ws[o]);
      });
      b[o] = Math.round(bias[o] / (inputScale * ws[o]));
    }
    if (inputZero !== 0) throw new Error('the models of the suites have no hidden layer with values below 0');
    constants[`w${at}`] = { dtype: 'i8', shape: [inputs, outputs], data: w };
    constants[`ws${at}`] = { dtype: 'f32', shape: [outputs], data: ws };
    constants[`wz${at}`] = { dtype: 'i8', shape: [outputs], data: new Int8Array(outputs) };
    constants[`b${at}`] = { dtype: 'i32', shape: [outputs], data: b };
  });
  const n = layers.length;
  return {
    ...wholeModel(layers, size),
    constants,
    nodes: [
      { op: 'QuantizeLinear', inputs: ['x', 's0', 'z0'], output: 'q0' },
      ...layers.map((_, i) => ({
        ...{ op: 'QGemm', contrib: true, output: `q${i + 1}`, attrs: { transA: 0, transB: 0 } },
        inputs: [`q${i}`, `s${i}`, `z${i}`, `w${i}`, `ws${i}`, `wz${i}`, `b${i}`, `s${i + 1}`, `z${i + 1}`],
      })),
      { op: 'DequantizeLinear', inputs: [`q${n}`, `s${n}`, `z${n}`], output: 'y' },
    ],
  };
}
