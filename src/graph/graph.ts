import type { TypedArray } from '../core/dtype.ts';
import { type AttrsOf, type OpName, opOf } from '../ops/index.ts';
import type { TensorType } from '../ops/op.ts';
import type { Section } from './plan.ts';

/** Position in Graph.tensors. */
export type TensorId = number;

/**
 * - input: written by the caller before a run
 * - state: kept from run to run, changed only by values that lie in its memory (parameters, moments)
 * - constant: known values
 * - value: computed by a node
 */
export type TensorKind = 'input' | 'state' | 'constant' | 'value';

export interface GraphTensor extends TensorType {
  readonly id: TensorId;
  readonly kind: TensorKind;
  /** How callers reach it; inputs and states have one. */
  readonly name?: string;
  /** Values of a constant. */
  readonly data?: TypedArray;
  /** This tensor is part of another one's memory, from element `offset`. */
  readonly view?: { readonly of: TensorId; readonly offset: number };
  /** Values must be whole numbers in [0, below). */
  readonly below?: number;
  /** Values must be numbers from the first to the second. */
  readonly within?: readonly [least: number, most: number];
}

/** One op applied to tensors, with the attributes of that op. */
export type Node<N extends OpName = OpName> = {
  readonly [M in N]: {
    readonly op: M;
    readonly inputs: readonly TensorId[];
    readonly outputs: readonly TensorId[];
    readonly attrs: AttrsOf<M>;
    readonly section: Section;
    /** The layer it belongs to, 'encoder.2'; '' for what no layer does. */
    readonly path: string;
  };
}[N];

/** Ops on symbolic tensors, in an order in which they can run. Pure data; passes make new graphs from it. */
export interface Graph {
  readonly tensors: readonly GraphTensor[];
  readonly nodes: readonly Node[];
  /** Tensors whose values callers read after a run, by name. */
  readonly outputs: Readonly<Record<string, TensorId>>;
}

/** For each tensor, the nodes that read it, in order. */
export function readersOf(graph: Graph): Node[][] {
  const readers: Node[][] = graph.tensors.map(() => []);
  for (const node of graph.nodes) for (const id of new Set(node.inputs)) readers[id].push(node);
  return readers;
}

/** For each tensor, the node that computes it, if any. */
export function makersOf(graph: Graph): (Node | undefined)[] {
  const makers = new Array<Node | undefined>(graph.tensors.length);
  for (const node of graph.nodes) for (const id of node.outputs) makers[id] = node;
  return makers;
}

/** Whose memory a tensor lies in, and from which element on: through views, and through ops that only rename. */
export function memoryOf(graph: Graph): (id: TensorId) => { root: TensorId; elements: number } {
  const makers = makersOf(graph);
  const resolve = (id: TensorId): { root: TensorId; elements: number } => {
    const { view } = graph.tensors[id];
    if (view) {
      const { root, elements } = resolve(view.of);
      return { root, elements: elements + view.offset };
    }
    const maker = makers[id];
    return maker && opOf(maker.op).alias ? resolve(maker.inputs[0]) : { root: id, elements: 0 };
  };
  return resolve;
}

/** The input types of a node. */
export const inputTypes = (graph: Graph, node: Node): GraphTensor[] =>
  node.inputs.map((id) => graph.tensors[id]);
