import { allocate, type TypedArray } from '../core/dtype.ts';
import { sizeOf } from '../core/shape.ts';
import { opOf } from '../ops/index.ts';
import type { Graph, GraphTensor, Node } from './graph.ts';

/** Larger results are cheaper to compute at run time than to carry in the plan. */
const MOST_ELEMENTS = 65536;

/** Computes nodes whose inputs are all constant, once, on the reference; for example the seed of every gradient. */
export function foldConstants(graph: Graph): Graph {
  const tensors: GraphTensor[] = [...graph.tensors];
  const nodes = graph.nodes.filter((node) => {
    if (!canFold(node, tensors)) return true;
    const output = tensors[node.output!];
    const data: TypedArray = allocate(output.dtype, sizeOf(output.shape));
    const inputs = node.inputs.map((id) => ({ ...tensors[id], data: tensors[id].data! }));
    opOf(node.op).reference(inputs, { ...output, data }, node.attrs);
    tensors[output.id] = { ...output, kind: 'constant', data };
    return false;
  });
  return { ...graph, tensors, nodes };
}

function canFold(node: Node, tensors: readonly GraphTensor[]): boolean {
  if (node.output === undefined) return false;
  const output = tensors[node.output];
  return (
    output.view === undefined &&
    sizeOf(output.shape) <= MOST_ELEMENTS &&
    node.inputs.every((id) => tensors[id].kind === 'constant')
  );
}

/** Drops nodes that no output and no state depends on. */
export function dropUnused(graph: Graph): Graph {
  const needed = new Set<number>(Object.values(graph.outputs));
  const nodes: Node[] = [];
  for (const node of [...graph.nodes].reverse()) {
    const intoState = node.output !== undefined && graph.tensors[node.output].view !== undefined;
    if (node.output !== undefined && !intoState && !needed.has(node.output)) continue;
    for (const id of node.inputs) needed.add(id);
    nodes.push(node);
  }
  return { ...graph, nodes: nodes.reverse() };
}
