import { type Shape, sameShape, sizeOf } from '../../core/shape.ts';
import { opOf } from '../../ops/index.ts';
import { type Graph, type GraphTensor, memoryOf, type Node, type TensorId } from '../graph.ts';

/** A tensor that is another one with its axes permuted: axis i is axis perm[i] of the source. */
interface Permuted {
  readonly source: TensorId;
  readonly perm: readonly number[];
  /** The node that would make it, where nothing else will do. */
  readonly node: Node;
}

/** A graph in which some tensors hold the values of one that was there before, in another order: by the new one's id. */
export interface Reordered extends Graph {
  readonly stands: ReadonlyMap<TensorId, TensorId>;
}

/**
 * Moves transposes behind the ops that don't care for the order of axes, until they meet their inverses and both are gone. So a
 * network of convolutions, which want channels last, moves nothing in between, forwards and backwards.
 */
export function cancelTransposes(graph: Graph): Reordered {
  const tensors: GraphTensor[] = [...graph.tensors];
  const nodes: Node[] = [];
  const permuted = new Map<TensorId, Permuted>();
  /** What stands for a tensor that came out as one which is there already. */
  const same = new Map<TensorId, TensorId>();
  const stands = new Map<TensorId, TensorId>();
  const memory = memoryOf(graph);
  /** What lies in a state must be read where it stands: the state may be assigned later. */
  const isState = (id: TensorId) =>
    id < graph.tensors.length && ['state', 'scratch'].includes(graph.tensors[memory(id).root].kind);
  const add = (dtype: GraphTensor['dtype'], shape: Shape): TensorId => {
    tensors.push({ id: tensors.length, kind: 'value', dtype, shape });
    return tensors.length - 1;
  };
  /** A tensor as it is, made now if it was put off. */
  const plain = (given: TensorId): TensorId => {
    const id = same.get(given) ?? given;
    const put = permuted.get(id);
    if (put) {
      permuted.delete(id);
      const attrs = { perm: put.perm };
      nodes.push({ ...put.node, op: 'transpose', inputs: [put.source], outputs: [id], attrs } as Node);
    }
    return id;
  };

  /** The op on sources instead, if all its operands are permuted alike, or are repeated along all axes but one. */
  const behind = (node: Node): Permuted | undefined => {
    const { permuted: change } = opOf(node.op);
    if (!change || node.outputs.length !== 1) return undefined;
    const [output] = node.outputs.map((id) => tensors[id]);
    const inputs = node.inputs.map((id) => same.get(id) ?? id);
    const first = inputs
      .map((id) => permuted.get(id))
      .find((p) => p && p.perm.length === output.shape.length);
    if (!first) return undefined;
    const { perm } = first;
    const sources = inputs.map((id) => sourceOf(id, perm, node));
    if (sources.some((source) => source === undefined)) return undefined;
    const made = add(output.dtype, inSource(output.shape, perm));
    stands.set(made, output.id);
    const operands = sources.map((source) => source!());
    nodes.push({ ...node, inputs: operands, outputs: [made], attrs: change(node.attrs, perm) } as Node);
    return { source: made, perm, node };
  };
  /** How to get an operand as the source of one permuted by `perm`; undefined where that would move it. */
  const sourceOf = (
    id: TensorId,
    perm: readonly number[],
    { section, path }: Node,
  ): (() => TensorId) | undefined => {
    const put = permuted.get(id);
    if (put) return sameShape(put.perm, perm) ? () => put.source : undefined;
    const { dtype, shape } = tensors[id];
    if (sizeOf(shape) === 1) return () => id;
    const all = [...new Array<number>(perm.length - shape.length).fill(1), ...shape];
    if (all.filter((n) => n !== 1).length !== 1) return undefined;
    return () => {
      const spread = inSource(all, perm);
      if (sameShape(spread, shape)) return id;
      const reshaped = add(dtype, spread);
      nodes.push({
        op: 'reshape',
        inputs: [id],
        outputs: [reshaped],
        attrs: { shape: spread },
        section,
        path,
      } as Node);
      return reshaped;
    };
  };

  const kept = new Set(Object.values(graph.outputs));
  for (const node of graph.nodes) {
    const [output] = node.outputs;
    const { permutation } = opOf(node.op);
    const free = !tensors[output].view;
    const input = same.get(node.inputs[0]) ?? node.inputs[0];
    if (permutation && free && !isState(input)) {
      const put = permuted.get(input);
      const own = permutation(node.attrs);
      const perm = put ? own.map((axis) => put.perm[axis]) : own;
      const source = put ? put.source : input;
      if (perm.every((axis, i) => axis === i) && !kept.has(output)) same.set(output, source);
      else permuted.set(output, { source, perm, node });
      continue;
    }
    const moved = free ? behind(node) : undefined;
    if (moved) permuted.set(output, moved);
    else nodes.push({ ...node, inputs: node.inputs.map(plain) } as Node);
  }
  for (const id of kept) plain(id);
  return { ...graph, tensors, nodes, stands };
}

/** A shape as the source has it. */
function inSource(shape: Shape, perm: readonly number[]): number[] {
  const source = new Array<number>(shape.length);
  perm.forEach((axis, i) => {
    source[axis] = shape[i];
  });
  return source;
}
