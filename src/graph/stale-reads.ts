import { fail } from '../core/errors.ts';
import { sizeOf } from '../core/shape.ts';
import { opOf } from '../ops/index.ts';
import { type Graph, makersOf, memoryOf, type TensorId } from './graph.ts';
import { opAt } from './plan.ts';

/** Elements of a state that a value was written to. */
interface Write {
  readonly from: number;
  readonly to: number;
  readonly value: TensorId;
}

/**
 * Throws 'invalid_argument' where an op reads a state as it was before a value was assigned to it: that value lies in the state's
 * memory by then. It is a gradient, mostly, that needs what the forward pass has overwritten.
 */
export function refuseStaleReads(graph: Graph): void {
  const { tensors, nodes } = graph;
  const memory = memoryOf(graph);
  const makers = makersOf(graph);
  /** What a tensor is another shape of. */
  const origin = (id: TensorId): TensorId => {
    const maker = makers[id];
    return maker && opOf(maker.op).alias ? origin(maker.inputs[0]) : id;
  };
  const writes = new Map<TensorId, Write[]>();
  const placeOf = (id: TensorId) => {
    const { root, elements } = memory(id);
    return { root, from: elements, to: elements + sizeOf(tensors[id].shape) };
  };
  for (const node of nodes) {
    if (opOf(node.op).alias) continue;
    for (const id of node.inputs) {
      const { root, from, to } = placeOf(id);
      const last = writes.get(root)?.findLast((w) => w.from < to && from < w.to);
      if (last && last.value !== origin(id))
        fail(
          'invalid_argument',
          `${opAt(node)} (${node.section}) needs '${tensors[root].name}' as it was before a value was assigned to it; ` +
            'assign after the last use, or use a copy (ops.copy) that was made before',
        );
    }
    for (const id of node.outputs) {
      const { root, from, to } = placeOf(id);
      if (tensors[root].kind === 'state')
        writes.set(root, [...(writes.get(root) ?? []), { from, to, value: id }]);
    }
  }
}
