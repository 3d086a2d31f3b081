import { sizeOf } from '../../core/shape.ts';
import { type ActivationName, activationNames } from '../../ops/activation.ts';
import { opOf } from '../../ops/index.ts';
import { type Graph, memoryOf, type Node, readersOf, type TensorId } from '../graph.ts';

/** Moves the gradients of activations and biases into the products beside them: fewer passes over what they share. */
export function fuseGradients(graph: Graph): Graph {
  return fuseBiasGradients(fuseDerivatives(graph));
}

/** A product whose result is all it adds. */
const isPlain = (node: Node): node is Node<'matmul'> =>
  node.op === 'matmul' && node.inputs.length === 2 && !node.attrs.activation;

/** The activation whose derivative a node computes. */
const derivedBy = ({ op }: Node): ActivationName | undefined =>
  activationNames.find((name) => op === `${name}_backward`);

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
  const sums = new Set(nodes.filter((n) => sumsRows(graph, n)));
  /** Whether a sum's result can come as late as the node at `place`. */
  const canWait = (sum: Node, place: number) => {
    const { root } = memory(sum.outputs[0]);
    const reads = (n: Node) => !opOf(n.op).alias && n.inputs.some((id) => memory(id).root === root);
    return !nodes.slice(0, place + 1).some(reads);
  };
  const gone = new Set<Node>();
  const fused = nodes.map((node, place) => {
    if (!isPlain(node) || !node.attrs.transposeA || node.attrs.transposeB) return node;
    if (sizeOf(tensors[node.outputs[0]].shape) === 0) return node;
    const [dy, x] = node.inputs;
    if (tensors[dy].shape.length !== 2 || tensors[x].shape.length !== 2) return node;
    const at = memory(dy);
    for (const sum of sums) {
      const from = memory(sum.inputs[0]);
      const same = from.root === at.root && from.elements === at.elements;
      const fits = sizeOf(tensors[sum.outputs[0]].shape) === tensors[dy].shape[1];
      if (!same || !fits || sum.section !== node.section || !canWait(sum, place)) continue;
      sums.delete(sum);
      gone.add(sum);
      const outputs = [...node.outputs, ...sum.outputs];
      return { ...node, op: 'linear_backward' as const, inputs: [dy, x], outputs, attrs: {} };
    }
    return node;
  });
  return { ...graph, nodes: fused.filter((n) => !gone.has(n)) };
}

/** Whether a node is a sum over all axes but the last. */
function sumsRows({ tensors }: Graph, node: Node): boolean {
  if (node.op !== 'sum') return false;
  const { axes } = node.attrs;
  const last = tensors[node.inputs[0]].shape.length - 1;
  return axes.length === last && !axes.includes(last);
}
