import { fail } from '../core/errors.ts';
import type { TensorType } from '../ops/op.ts';
import type { Graph, TensorId } from './graph.ts';
import type { Tensor, Tracer } from './trace.ts';

/**
 * Records the ops of another graph in a trace, and gives its outputs by name. Its constants stay the same arrays; `input` says which tensor
 * of the trace each of its inputs is. What has states is no such graph.
 */
export function include(
  tracer: Tracer,
  graph: Graph,
  input: (name: string, type: TensorType) => Tensor,
): Readonly<Record<string, Tensor>> {
  const made = new Map<TensorId, Tensor>();
  const tensor = (id: TensorId): Tensor => {
    const known = made.get(id) ?? source(id);
    made.set(id, known);
    return known;
  };
  const source = (id: TensorId): Tensor => {
    const { kind, name, data, dtype, shape } = graph.tensors[id];
    if (kind === 'input') return input(name!, { dtype, shape });
    if (data) return tracer.constant(data, { dtype, shape });
    return fail('internal', `a graph that is included has a ${kind}`);
  };
  for (const { op, inputs, outputs, attrs, path } of graph.nodes) {
    const record = () => tracer.applyAll(op, inputs.map(tensor), attrs);
    (path ? tracer.scope(path, record) : record()).forEach((y, i) => void made.set(outputs[i], y));
  }
  return Object.fromEntries(Object.entries(graph.outputs).map(([name, id]) => [name, tensor(id)]));
}
