import { sameShape } from '../../core/shape.ts';
import type { ActivationName } from '../../ops/activation.ts';
import { opOf } from '../../ops/index.ts';
import { type Graph, type Node, readersOf, type TensorId } from '../graph.ts';

/** What follows a product and can be computed while its result is still in registers. */
export interface Epilogue {
  readonly bias?: TensorId;
  readonly activation?: Node<ActivationName>;
  /** The nodes that disappear into the product. */
  readonly absorbed: readonly Node[];
  /** What the activation is applied to: the product, with the bias if there is one. */
  readonly before: TensorId;
  /** The tensor that the product with its epilogue computes. */
  readonly output: TensorId;
}

/**
 * The bias and activation behind a product: add(product, [n]) then an activation, each the only reader
 * of what comes before. A value that is read elsewhere (an output, or a gradient) ends the chain.
 */
export function epilogueOf(graph: Graph, product: Node, readers: readonly Node[][]): Epilogue {
  const kept = new Set(Object.values(graph.outputs));
  const onlyReader = (id: TensorId) =>
    readers[id].length === 1 && !kept.has(id) && !graph.tensors[id].view ? readers[id][0] : undefined;
  let [output] = product.outputs;
  const absorbed: Node[] = [];
  let bias = product.inputs[2];

  const next = onlyReader(output);
  if (next && opOf(next.op).fuses === 'bias' && bias === undefined && next.section === product.section) {
    const other = next.inputs[0] === output ? next.inputs[1] : next.inputs[0];
    const { shape } = graph.tensors[output];
    const fits = other !== output && sameShape(graph.tensors[other].shape, [shape.at(-1)!]);
    if (
      fits &&
      graph.tensors[other].kind !== 'value' &&
      sameShape(graph.tensors[next.outputs[0]].shape, shape)
    ) {
      bias = other;
      absorbed.push(next);
      [output] = next.outputs;
    }
  }
  const before = output;
  const last = onlyReader(output);
  if (last && last.section === product.section && isActivation(last)) {
    absorbed.push(last);
    return { bias, activation: last, absorbed, before, output: last.outputs[0] };
  }
  return { bias, absorbed, before, output };
}

/** Whether a node's row says that it is a product which takes in what stands beside it. */
export const isProduct = (node: Node): node is Node<'matmul'> => opOf(node.op).fuses === 'product';

export const isActivation = (node: Node): node is Node<ActivationName> =>
  opOf(node.op).fuses === 'activation';

/** Moves bias additions and activations into the products before them. */
export function fuseEpilogues(graph: Graph): Graph {
  const readers = readersOf(graph);
  const gone = new Set<Node>();
  const nodes = graph.nodes.map((node) => {
    if (!isProduct(node) || node.attrs.activation) return node;
    const { bias, activation, absorbed, output } = epilogueOf(graph, node, readers);
    if (absorbed.length === 0) return node;
    for (const n of absorbed) gone.add(n);
    const attrs = activation
      ? { ...node.attrs, activation: { name: activation.op, attrs: activation.attrs } }
      : node.attrs;
    const inputs = bias === undefined ? node.inputs : [node.inputs[0], node.inputs[1], bias];
    return { ...node, inputs, outputs: [output], attrs };
  });
  return { ...graph, nodes: nodes.filter((n) => !gone.has(n)) };
}
