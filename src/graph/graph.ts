import type { TypedArray } from '../core/dtype.ts';
import { type AttrsOf, type OpName, opOf } from '../ops/index.ts';
import type { TensorType } from '../ops/op.ts';
import type { Section } from './plan.ts';

/** Position in Graph.tensors. */
export type TensorId = number;

/**
 * - input: written by the caller before a run
 * - state: kept from run to run, changed only by values that lie in its memory (parameters, buffers, moments)
 * - scratch: written by values that lie in its memory, then read as a whole in the same run (gradients)
 * - constant: known values
 * - value: computed by a node
 */
export type TensorKind = 'input' | 'state' | 'scratch' | 'constant' | 'value';

export interface GraphTensor extends TensorType {
  readonly id: TensorId;
  readonly kind: TensorKind;
  /** How callers reach it; inputs, states and scratch have one. */
  readonly name?: string;
  /** Values of a constant. */
  readonly data?: TypedArray;
  /** This tensor is part of another one's memory, from element `offset`. */
  readonly view?: { readonly of: TensorId; readonly offset: number };
  /** Values must be whole numbers in [0, below), or `except`. */
  readonly below?: number;
  readonly except?: number;
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

/** A tensor's place in the memory of another one, or of itself. */
export interface MemoryPlace {
  readonly root: TensorId;
  /** Elements from the root's first. */
  readonly elements: number;
}

/** Whose memory a tensor lies in, and from which element on: through views, and through ops that only rename. */
export function memoryOf(graph: Graph): (id: TensorId) => MemoryPlace {
  const makers = makersOf(graph);
  const places = new Array<MemoryPlace | undefined>(graph.tensors.length);
  /** The tensor whose memory this one names as its own, and how far in; undefined for one with memory of its own. */
  const above = (id: TensorId): { of: TensorId; offset: number } | undefined => {
    const { view } = graph.tensors[id];
    const maker = makers[id];
    return view ?? (maker && opOf(maker.op).alias ? { of: maker.inputs[0], offset: 0 } : undefined);
  };
  return (id) => {
    // Down a chain without recursion, and back up: chains may be as long as the model is deep.
    const chain: [TensorId, number][] = [];
    let at = id;
    while (!places[at]) {
      const next = above(at);
      if (!next) places[at] = { root: at, elements: 0 };
      else {
        chain.push([at, next.offset]);
        at = next.of;
      }
    }
    let place = places[at]!;
    for (const [tensor, offset] of chain.reverse()) {
      place = { root: place.root, elements: place.elements + offset };
      places[tensor] = place;
    }
    return place;
  };
}

/** The input types of a node. */
export const inputTypes = (graph: Graph, node: Node): GraphTensor[] =>
  node.inputs.map((id) => graph.tensors[id]);
