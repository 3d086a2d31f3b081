import { allocate } from '../../core/dtype.ts';
import { sizeOf } from '../../core/shape.ts';
import { opOf } from '../../ops/index.ts';
import type { Graph, GraphTensor, Node } from '../graph.ts';

/** Larger results are cheaper to compute at run time than to carry in the plan, but for what only stands in another order. */
const MOST_ELEMENTS = 65536;

/** Computes nodes whose inputs are all constant, and results small, once, on the reference; the seed of every gradient, say. */
export function foldConstants(graph: Graph, most = MOST_ELEMENTS): Graph {
  const tensors: GraphTensor[] = [...graph.tensors];
  const nodes = graph.nodes.filter((node) => {
    if (!canFold(node, tensors, most)) return true;
    const inputs = node.inputs.map((id) => ({ ...tensors[id], data: tensors[id].data! }));
    const outputs = node.outputs.map((id) => {
      const { dtype, shape } = tensors[id];
      return { ...tensors[id], kind: 'constant' as const, data: allocate(dtype, sizeOf(shape)) };
    });
    opOf(node.op).reference(inputs, outputs, node.attrs);
    for (const output of outputs) tensors[output.id] = output;
    return false;
  });
  return { ...graph, tensors, nodes };
}

function canFold(node: Node, tensors: readonly GraphTensor[], most: number): boolean {
  const outputs = node.outputs.map((id) => tensors[id]);
  const room = opOf(node.op).permutation ? Infinity : most;
  return (
    outputs.every(({ view, shape }) => view === undefined && sizeOf(shape) <= room) &&
    node.inputs.every((id) => tensors[id].kind === 'constant')
  );
}

/** Drops nodes that no output and no state depends on. */
export function dropUnused(graph: Graph): Graph {
  const needed = new Set<number>(Object.values(graph.outputs));
  const nodes: Node[] = [];
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((id) => graph.tensors[id].view || needed.has(id))) continue;
    for (const id of node.inputs) needed.add(id);
    nodes.push(node);
  }
  return { ...graph, nodes: nodes.reverse() };
}
