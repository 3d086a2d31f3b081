import { sameShape } from '../../core/shape.ts';
import { type Graph, type GraphTensor, type Node, readersOf, type TensorId } from '../graph.ts';

/** A scale and a shift of each column of a product, and the nodes that they are. */
interface Affine {
  readonly scale: Float64Array;
  readonly shift: Float64Array;
  readonly absorbed: readonly Node[];
}

/**
 * Moves constant scales and shifts of a product's columns (batch norm with fixed statistics, a bias) into its constant weights:
 * one product and one bias are left of them.
 */
export function foldScales(graph: Graph): Graph {
  const readers = readersOf(graph);
  const tensors: GraphTensor[] = [...graph.tensors];
  const gone = new Set<Node>();
  const nodes = graph.nodes.flatMap((node): Node[] => {
    if (!isFixed(graph, node)) return [node];
    const affine = affineOf(graph, node, readers);
    if (!affine) return [node];
    for (const n of affine.absorbed) gone.add(n);
    const add = (data: Float32Array, shape: readonly number[]) => {
      const id = tensors.length;
      tensors.push({ id, kind: 'constant', dtype: 'f32', shape, data });
      return id;
    };
    const [x, w] = node.inputs;
    const weight = add(scaled(tensors[w], affine.scale, node.attrs.transposeB ?? false), tensors[w].shape);
    const shift = add(Float32Array.from(affine.shift), [affine.shift.length]);
    const { outputs } = affine.absorbed.at(-1)!;
    const { section, path } = node;
    const bias: Node = { op: 'add', inputs: [node.outputs[0], shift], outputs, attrs: {}, section, path };
    return [{ ...node, inputs: [x, weight] }, bias];
  });
  return { ...graph, tensors, nodes: nodes.filter((n) => !gone.has(n)) };
}

/** A product of one constant matrix, with nothing else in it. */
function isFixed({ tensors }: Graph, node: Node): node is Node<'matmul'> {
  if (node.op !== 'matmul' || node.inputs.length !== 2 || node.attrs.activation) return false;
  const { kind, shape } = tensors[node.inputs[1]];
  return kind === 'constant' && shape.length === 2;
}

/** What stands behind a product, as long as nothing else reads between; undefined where it scales nothing. */
function affineOf(graph: Graph, product: Node, readers: readonly Node[][]): Affine | undefined {
  const { tensors } = graph;
  const kept = new Set(Object.values(graph.outputs));
  let [id] = product.outputs;
  const { shape } = tensors[id];
  const n = shape.at(-1)!;
  const scale = new Float64Array(n).fill(1);
  const shift = new Float64Array(n);
  const absorbed: Node[] = [];
  let scales = false;
  for (;;) {
    const [next, ...others] = readers[id];
    if (!next || others.length > 0 || kept.has(id) || tensors[id].view) break;
    if ((next.op !== 'add' && next.op !== 'mul') || next.section !== product.section) break;
    const by = next.inputs[0] === id ? next.inputs[1] : next.inputs[0];
    const values = columnsOf(tensors, by, n);
    if (by === id || !values || !sameShape(tensors[next.outputs[0]].shape, shape)) break;
    for (let c = 0; c < n; c++)
      if (next.op === 'add') shift[c] += values[c];
      else {
        scale[c] *= values[c];
        shift[c] *= values[c];
      }
    scales ||= next.op === 'mul';
    absorbed.push(next);
    [id] = next.outputs;
  }
  return scales ? { scale, shift, absorbed } : undefined;
}

/** A constant for each column. */
function columnsOf(tensors: readonly GraphTensor[], id: TensorId, n: number): ArrayLike<number> | undefined {
  const { kind, shape, dtype, data } = tensors[id];
  return kind === 'constant' && dtype === 'f32' && sameShape(shape, [n]) ? data : undefined;
}

/** A matrix, (k, n) or transposed (n, k), with its columns scaled. */
function scaled({ data, shape }: GraphTensor, scale: Float64Array, transposed: boolean): Float32Array {
  const [, columns] = shape;
  return Float32Array.from(data!, (w, i) => w * scale[transposed ? Math.floor(i / columns) : i % columns]);
}
