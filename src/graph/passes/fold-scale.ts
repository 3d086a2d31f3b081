import { sameShape, sizeOf } from '../../core/shape.ts';
import { opOf } from '../../ops/index.ts';
import { type Graph, type GraphTensor, type Node, readersOf, type TensorId } from '../graph.ts';

/** A scale and a shift of each column of a product, and the nodes that they are. */
interface Affine {
  readonly scale: Float64Array;
  readonly shift: Float64Array;
  readonly absorbed: readonly Node[];
}

/**
 * Moves constant scales and shifts of what a product or a convolution makes (batch norm with fixed statistics, a bias) into its constant
 * weights: one product and one bias are left of them.
 */
export function foldScales(graph: Graph): Graph {
  const readers = readersOf(graph);
  const tensors: GraphTensor[] = [...graph.tensors];
  const gone = new Set<Node>();
  const nodes = graph.nodes.flatMap((node): Node[] => {
    const axis = columnsAxis(graph, node);
    if (axis === undefined) return [node];
    const affine = affineOf(graph, node, readers);
    if (!affine) return [node];
    for (const n of affine.absorbed) gone.add(n);
    const add = (data: Float32Array, shape: readonly number[]) => {
      const id = tensors.length;
      tensors.push({ id, kind: 'constant', dtype: 'f32', shape, data });
      return id;
    };
    const [x, w] = node.inputs;
    const weight = add(scaled(tensors[w], affine.scale, axis), tensors[w].shape);
    const shift = add(Float32Array.from(affine.shift), [affine.shift.length]);
    const { outputs } = affine.absorbed.at(-1)!;
    const { section, path } = node;
    const bias: Node = { op: 'add', inputs: [node.outputs[0], shift], outputs, attrs: {}, section, path };
    return [{ ...node, inputs: [x, weight] } as Node, bias];
  });
  return { ...graph, tensors, nodes: nodes.filter((n) => !gone.has(n)) };
}

/** The axis of a node's constant weights whose elements each make one of its columns; undefined where there is more in it than them. */
function columnsAxis({ tensors }: Graph, node: Node): number | undefined {
  const { fuses, columns } = opOf(node.op);
  if (fuses !== 'product' || !columns || node.inputs.length !== 2) return undefined;
  if ('activation' in node.attrs && node.attrs.activation) return undefined;
  const types = node.inputs.map((id) => tensors[id]);
  return types[1].kind === 'constant' ? columns(types, node.attrs) : undefined;
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

/** Weights with what belongs to each column scaled. */
function scaled({ data, shape }: GraphTensor, scale: Float64Array, axis: number): Float32Array {
  const inner = sizeOf(shape.slice(axis + 1));
  return Float32Array.from(data!, (w, i) => w * scale[Math.floor(i / inner) % shape[axis]]);
}
