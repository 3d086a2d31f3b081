import type { TypedArray } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { buildPlan } from '../graph/build-plan.ts';
import { type Graph, type Node, readersOf, type TensorId } from '../graph/graph.ts';
import { dropUnused, foldConstants } from '../graph/passes/fold.ts';
import { foldScales } from '../graph/passes/fold-scale.ts';
import { type Epilogue, epilogueOf, isActivation } from '../graph/passes/fuse.ts';
import { opAt, type Plan } from '../graph/plan.ts';
import { type Tensor, Tracer } from '../graph/trace.ts';
import type { AnyFrozen, FrozenModel } from '../model/frozen.ts';
import { slotsOf } from '../model/signature.ts';
import type { Values } from '../nn/module.ts';
import { type ActivationName, activationFunction } from '../ops/activation.ts';
import { opOf } from '../ops/index.ts';
import { inferGraph } from '../plans/infer.ts';
import { type KeyedGraph, tensorKeys } from './keys.ts';
import {
  activationParams,
  activationTable,
  type QuantizedLinear,
  type QuantParams,
  quantizeLinear,
  type Range,
} from './quantization.ts';

/** The raw u8 values behind an output of an int8 plan, where the layer that gives it is quantized. */
export const rawSlot = (name: string): string => (name === 'output' ? 'output_u8' : `raw.${name}`);

/** What became of one op of the model. */
export interface QuantizedOp {
  /** The layer it belongs to, by its name in the state dict: 'encoder.2'; '' where it is in none. */
  readonly path: string;
  /** The op's name in the table. */
  readonly op: string;
  /** How it runs: in integers, or in f32 with the reason. */
  readonly runs: 'int8' | 'f32';
  /** Why it stays f32. */
  readonly reason?: string;
}

/** A frozen model with the ranges its tensors took during calibration: all that int8 plans are made from. */
export interface QuantizedModel<I extends Values = Tensor, O extends Values = Tensor> {
  /** The model it was made from. */
  readonly frozen: FrozenModel<I, O>;
  /** Ranges of the tensors of the forward pass: of an input by its name, of an op's result as '<layer>:<op>' ('encoder.2:matmul'). */
  readonly ranges: Ranges;
  /** How each op of the forward pass runs. */
  readonly report: readonly QuantizedOp[];
  /** Bytes of weights, biases, multipliers and tables as served. */
  readonly byteLength: number;
}

/** A quantized model whatever it takes and gives. */
export type AnyQuantized = QuantizedModel<Values, Values>;

/** The ranges of tensors by their keys. */
export type Ranges = ReadonlyMap<string, Range>;

/** The forward graph to calibrate on: nothing fused, so that every intermediate value can be seen. */
export function calibrationGraph(frozen: AnyFrozen, batch: number): KeyedGraph {
  const traced = inferGraph(frozen, batch);
  // Keys are those of the trace: what is folded may depend on the batch size.
  return { ...dropUnused(foldScales(foldConstants(traced))), keys: tensorKeys(traced) };
}

/** Tensors whose ranges the rewrite needs: the inputs and outputs of everything it may turn into integers. */
export function tensorsToObserve(graph: Graph): TensorId[] {
  const ids = new Set<TensorId>();
  for (const node of graph.nodes) {
    if (node.op !== 'matmul' && node.op !== 'add' && !isActivation(node)) continue;
    for (const id of [...node.inputs, ...node.outputs])
      if (graph.tensors[id].dtype === 'f32' && graph.tensors[id].kind !== 'constant') ids.add(id);
  }
  return [...ids];
}

/** Plan that also gives the values of `observed`, as slots named by their ids. */
export function calibrationPlan(graph: Graph, observed: readonly TensorId[]): Plan {
  const outputs = Object.fromEntries(observed.map((id) => [observedSlot(id), id]));
  return buildPlan(
    { ...graph, outputs: { ...graph.outputs, ...outputs } },
    { name: 'calibrate', optimize: false },
  );
}

export const observedSlot = (id: TensorId): string => `tensor ${id}`;

/** The int8 plan of a quantized model for one batch size. */
export const quantizedPlan = (model: AnyQuantized, batch: number): Plan =>
  buildPlan(quantizedGraph(model, batch), { name: `infer int8, batch ${batch}` });

/** The int8 graph behind it. */
export function quantizedGraph({ frozen, ranges }: AnyQuantized, batch: number): Graph {
  const source = calibrationGraph(frozen, batch);
  const keys = new Set(source.keys.values());
  const other =
    tensorsToObserve(source).find((id) => !ranges.has(source.keys.get(id)!)) !== undefined ||
    [...ranges.keys()].some((key) => !keys.has(key));
  if (other)
    fail(
      'unsupported',
      `the model does different things at batch size ${batch} than at the size it was calibrated with; ` +
        'make its ops independent of the batch size, or calibrate at this one',
    );
  return rewrite(source, ranges).graph;
}

/** Rewrites once to say what will run in integers, and refuses a model in which nothing does. */
export const quantizedModel = <I extends Values, O extends Values>(
  frozen: FrozenModel<I, O>,
  source: KeyedGraph,
  ranges: Ranges,
): QuantizedModel<I, O> => modelOf(frozen, ranges, rewrite(source, ranges));

/** The same for the main thread of a page: `breathe` is awaited after every layer, so that frames are drawn between. */
export async function quantizedModelInTurns<I extends Values, O extends Values>(
  frozen: FrozenModel<I, O>,
  source: KeyedGraph,
  ranges: Ranges,
  breathe: () => Promise<void>,
): Promise<QuantizedModel<I, O>> {
  const rewriter = new Rewriter(source, ranges);
  for (const _ of rewriter.layers()) await breathe();
  const { report, tracer } = rewriter;
  return modelOf(frozen, ranges, { graph: tracer.graph, report });
}

function modelOf<I extends Values, O extends Values>(
  frozen: FrozenModel<I, O>,
  ranges: Ranges,
  { graph, report }: ReturnType<typeof rewrite>,
): QuantizedModel<I, O> {
  if (!report.some((r) => r.runs === 'int8'))
    fail(
      'unsupported',
      `nothing in this model can be quantized: ${report.map((r) => `${opAt(r)}: ${r.reason}`).join('; ')}`,
    );
  const byteLength = buildPlan(graph, { name: 'size' }).constants.reduce(
    (sum, c) => sum + c.data.byteLength,
    0,
  );
  return { frozen, ranges, report, byteLength };
}

function rewrite(source: KeyedGraph, ranges: Ranges) {
  const rewriter = new Rewriter(source, ranges);
  for (const _ of rewriter.layers());
  const { report, tracer } = rewriter;
  return { graph: tracer.graph, report };
}

/**
 * Walks an f32 forward graph and records its int8 counterpart. Each value may exist as u8, as f32, or as both;
 * the missing form is made (once) where an op asks for it.
 */
class Rewriter {
  readonly tracer = new Tracer({ training: false });
  readonly report: QuantizedOp[] = [];
  private readonly f32 = new Map<TensorId, Tensor>();
  private readonly u8 = new Map<TensorId, { tensor: Tensor; params: QuantParams }>();
  private readonly source: KeyedGraph;
  private readonly ranges: Ranges;

  constructor(source: KeyedGraph, ranges: Ranges) {
    this.source = source;
    this.ranges = ranges;
  }

  /** Does the work, and hands control back after each layer. */
  *layers(): Generator<void> {
    const { source, report } = this;
    const readers = readersOf(source);
    const absorbed = new Set<Node>();
    for (const t of source.tensors)
      if (t.kind === 'input')
        this.f32.set(t.id, this.tracer.input(t.name!, { dtype: t.dtype, shape: t.shape }));
    for (const node of source.nodes) {
      if (absorbed.has(node)) continue;
      const { op, path } = node;
      const reason = this.tracer.at(path, () => this.quantize(node, readers, absorbed));
      report.push(reason === undefined ? { path, op, runs: 'int8' } : { path, op, runs: 'f32', reason });
      yield;
    }
    for (const [name, id] of Object.entries(source.outputs)) this.tracer.output(name, this.asF32(id));
    for (const [name, id] of Object.entries(slotsOf('output', source.outputs))) {
      const last = this.u8.get(id);
      if (last) this.tracer.output(rawSlot(name), last.tensor);
    }
  }

  /** Records a node in integers, or in f32 and returns why. */
  private quantize(node: Node, readers: Node[][], absorbed: Set<Node>): string | undefined {
    const [x] = node.inputs;
    let reason = `${node.op} has no integer form`;
    if (node.op === 'matmul') {
      const result = this.linear(node, epilogueOf(this.source, node, readers));
      if (Array.isArray(result)) {
        for (const n of result) absorbed.add(n);
        return undefined;
      }
      reason = result;
    } else if (opOf(node.op).moves && this.u8.has(x)) {
      const { tensor, params } = this.u8.get(x)!;
      this.u8.set(node.outputs[0], { tensor: this.tracer.apply(node.op, [tensor], node.attrs), params });
      return undefined;
    } else if (isActivation(node)) {
      const input = this.asU8(x);
      const params = this.params(node.outputs[0]);
      if (input && params) {
        const table = this.table(node, input.params, params);
        this.u8.set(node.outputs[0], {
          tensor: this.tracer.apply('activation_i8', [input.tensor, table], { stands: params }),
          params,
        });
        return undefined;
      }
      reason = 'calibration saw no values for it';
    }
    const inputs = node.inputs.map((id) => this.asF32(id));
    this.f32.set(node.outputs[0], this.tracer.apply(node.op, inputs, node.attrs));
    return reason;
  }

  /** A product with a constant matrix, its bias and activation, as matmul_i8; the nodes it absorbed, or the reason why not. */
  private linear(node: Node<'matmul'>, epilogue: Epilogue): Node[] | string {
    const [x, w] = node.inputs.map((id) => this.source.tensors[id]);
    const { transposeA, transposeB } = node.attrs;
    if (w.kind !== 'constant' || w.shape.length !== 2) return 'its second operand is not a constant matrix';
    if (transposeA) return 'its first operand is transposed';
    const bias = epilogue.bias === undefined ? undefined : this.source.tensors[epilogue.bias];
    if (bias && bias.kind !== 'constant') return 'its bias is not constant';
    const input = this.asU8(x.id);
    const isRelu = epilogue.activation?.op === 'relu';
    const before = this.params(isRelu ? epilogue.output : epilogue.before);
    const after = this.params(epilogue.output);
    if (!input || !before || !after) return 'calibration saw no values for it';
    const [n, k] = transposeB ? w.shape : [w.shape[1], w.shape[0]];
    const at = transposeB ? (c: number, l: number) => c * k + l : (c: number, l: number) => l * n + c;
    const q = quantizeLinear(
      { data: w.data as Float32Array, n, k, at },
      bias?.data as Float32Array | undefined,
      input.params,
      before,
    );
    if (typeof q === 'string') return q;
    const table = epilogue.activation && !isRelu ? [this.table(epilogue.activation, before, after)] : [];
    const tensor = this.tracer.apply('matmul_i8', [input.tensor, ...this.weights(q, n, k), ...table], {
      shift: q.shift,
      zeroPoint: before.zeroPoint,
      min: isRelu ? before.zeroPoint : 0,
      max: 255,
      stands: after,
    });
    this.u8.set(epilogue.output, { tensor, params: after });
    return [...epilogue.absorbed];
  }

  private weights({ weight, bias, multiplier }: QuantizedLinear, n: number, k: number): Tensor[] {
    const constant = (data: TypedArray, dtype: 'i8' | 'i32', shape: number[]) =>
      this.tracer.constant(data, { dtype, shape });
    return [constant(weight, 'i8', [n, k]), constant(bias, 'i32', [n]), constant(multiplier, 'i32', [n])];
  }

  private table({ op, attrs }: Node<ActivationName>, input: QuantParams, output: QuantParams): Tensor {
    const f = activationFunction({ name: op, attrs });
    return this.tracer.constant(activationTable(f, input, output), { dtype: 'u8', shape: [256] });
  }

  private params(id: TensorId): QuantParams | undefined {
    const range = this.ranges.get(this.source.keys.get(id)!);
    return range && activationParams(range);
  }

  private asU8(id: TensorId): { tensor: Tensor; params: QuantParams } | undefined {
    const known = this.u8.get(id);
    if (known) return known;
    const params = this.params(id);
    if (!params) return undefined;
    const made = {
      tensor: this.tracer.apply('quantize', [this.asF32(id)], { ...params, dtype: 'u8' }),
      params,
    };
    this.u8.set(id, made);
    return made;
  }

  private asF32(id: TensorId): Tensor {
    const known = this.f32.get(id);
    if (known) return known;
    const t = this.source.tensors[id];
    const quantized = this.u8.get(id);
    const made = quantized
      ? this.tracer.apply('dequantize', [quantized.tensor], quantized.params)
      : this.tracer.constant(t.data ?? fail('internal', `tensor ${id} has no values`), {
          dtype: t.dtype,
          shape: t.shape,
        });
    this.f32.set(id, made);
    return made;
  }
}
