import { sizeOf } from '../../core/shape.ts';
import type { ActivationName } from '../../ops/activation.ts';
import { opOf } from '../../ops/index.ts';
import { type Graph, type MemoryPlace, memoryOf, type Node, readersOf, type TensorId } from '../graph.ts';
import { isProduct } from './fuse.ts';

/** Moves the gradients of activations and biases into the products beside them: fewer passes over what they share. */
export function fuseGradients(graph: Graph): Graph {
  return fuseBiasGradients(fuseDerivatives(graph));
}

/** A product whose result is all it adds. */
const isPlain = (node: Node): node is Node<'matmul'> =>
  isProduct(node) && node.inputs.length === 2 && !node.attrs.activation;

/** The activation whose derivative a node computes. */
const derivedBy = ({ op }: Node) => opOf(op).derivativeOf as ActivationName | undefined;

/**
 * name_backward(a b, saved) becomes part of the product, where nothing else reads the product and `saved` is known before
 * it. The new product stands where the old one stood.
 */
function fuseDerivatives(graph: Graph): Graph {
  const readers = readersOf(graph);
  const kept = new Set(Object.values(graph.outputs));
  const gone = new Set<Node>();
  const known = new Set<TensorId>(graph.tensors.filter((t) => t.kind !== 'value').map((t) => t.id));
  const nodes = graph.nodes.map((node) => {
    for (const id of node.outputs) known.add(id);
    if (!isPlain(node)) return node;
    const [product] = node.outputs;
    const [next, ...others] = readers[product];
    const name = next && derivedBy(next);
    if (!name || others.length > 0 || kept.has(product) || graph.tensors[product].view) return node;
    const [dy, saved] = next.inputs;
    if (dy !== product || saved === product || !known.has(saved) || next.section !== node.section)
      return node;
    gone.add(next);
    const attrs = { ...node.attrs, derivative: { name, attrs: next.attrs } };
    return { ...node, inputs: [...node.inputs, saved], outputs: next.outputs, attrs };
  });
  return { ...graph, nodes: nodes.filter((n) => !gone.has(n)) };
}

/** A product dy^T x and the sum of dy's rows become one linear_backward, where the product stood. */
function fuseBiasGradients(graph: Graph): Graph {
  const { nodes, tensors } = graph;
  const memory = memoryOf(graph);
  const keyOf = (id: TensorId) => {
    const { root, elements } = memory(id);
    return `${root} ${elements}`;
  };
  const sums = groupBy(
    nodes.filter((n) => sumsRows(graph, n)),
    ({ inputs: [dy] }) => keyOf(dy),
  );
  const firstRead = firstReads(graph, memory);
  /** Whether a sum's result can come as late as the node at `place`. */
  const canWait = ({ inputs: [dy], outputs: [sum] }: Node, place: number) =>
    !isState(dy) && !isState(sum) && (firstRead.get(memory(sum).root) ?? Infinity) > place;
  /** What is assigned to a state is there when its turn comes, and what is read from one before it is assigned. */
  const isState = (id: TensorId) => tensors[memory(id).root].kind === 'state';
  const gone = new Set<Node>();
  const fused = nodes.map((node, place) => {
    if (!isPlain(node) || !node.attrs.transposeA || node.attrs.transposeB) return node;
    if (sizeOf(tensors[node.outputs[0]].shape) === 0) return node;
    const [dy, x] = node.inputs;
    if (tensors[dy].shape.length !== 2 || tensors[x].shape.length !== 2) return node;
    const sum = sums.get(keyOf(dy))?.find((n) => {
      const fits = sizeOf(tensors[n.outputs[0]].shape) === tensors[dy].shape[1];
      return !gone.has(n) && fits && n.section === node.section && canWait(n, place);
    });
    if (!sum) return node;
    gone.add(sum);
    const outputs = [...node.outputs, ...sum.outputs];
    return { ...node, op: 'linear_backward' as const, inputs: [dy, x], outputs, attrs: {} };
  });
  return { ...graph, nodes: fused.filter((n) => !gone.has(n)) };
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}

/** For each memory, the first node that reads it; renaming is no reading. */
function firstReads(graph: Graph, memory: (id: TensorId) => MemoryPlace): Map<TensorId, number> {
  const first = new Map<TensorId, number>();
  graph.nodes.forEach(({ op, inputs }, place) => {
    if (opOf(op).alias) return;
    for (const id of inputs) {
      const { root } = memory(id);
      if (!first.has(root)) first.set(root, place);
    }
  });
  return first;
}

/** Whether a node is a sum over all axes but the last. */
function sumsRows({ tensors }: Graph, node: Node): boolean {
  if (node.op !== 'sum') return false;
  const { axes } = node.attrs;
  const last = tensors[node.inputs[0]].shape.length - 1;
  return axes.length === last && !axes.includes(last);
}
