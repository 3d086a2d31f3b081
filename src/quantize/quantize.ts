import { fail } from '../core/errors.ts';
import { buildPlan } from '../graph/build-plan.ts';
import type { Graph, TensorId } from '../graph/graph.ts';
import { dropUnused, foldConstants } from '../graph/passes/fold.ts';
import { foldScales } from '../graph/passes/fold-scale.ts';
import { cancelTransposes } from '../graph/passes/transposes.ts';
import { opAt, type Plan } from '../graph/plan.ts';
import type { Tensor } from '../graph/trace.ts';
import type { AnyFrozen, FrozenModel } from '../model/frozen.ts';
import type { Values } from '../nn/module.ts';
import { opOf } from '../ops/index.ts';
import { inferGraph } from '../plans/infer.ts';
import { type KeyedGraph, tensorKeys } from './keys.ts';
import { type QuantizedOp, type Ranges, Rewriter } from './rewrite.ts';

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

/** The forward graph to calibrate on: nothing fused, so that every intermediate value can be seen. */
export function calibrationGraph(frozen: AnyFrozen, batch: number): KeyedGraph {
  const traced = inferGraph(frozen, batch);
  const ordered = cancelTransposes(foldConstants(traced));
  // Keys are those of the trace: what is folded may depend on the batch size.
  const keys = tensorKeys(traced);
  for (const [made, from] of ordered.stands) keys.set(made, keys.get(from)!);
  return { ...dropUnused(foldScales(ordered)), keys };
}

/** Tensors whose ranges the rewrite needs: the inputs and outputs of everything it may turn into integers. */
export function tensorsToObserve(graph: Graph): TensorId[] {
  const ids = new Set<TensorId>();
  for (const node of graph.nodes) {
    const { fuses, scalar, integers } = opOf(node.op);
    if (!fuses && !scalar && !integers) continue;
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
