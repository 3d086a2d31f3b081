import type { Graph, TensorId } from '../graph/graph.ts';

/** A graph whose tensors are known from trace to trace, whatever their ids are. */
export interface KeyedGraph extends Graph {
  /** Of inputs and of what ops make. */
  readonly keys: ReadonlyMap<TensorId, string>;
}

/**
 * What tensors are called in every trace of a model, at any batch size: an input by its name, the result of an op by its layer and
 * op ('encoder.2:matmul', ':matmul' outside of layers). Where a layer does the same more than once (a layer that is called twice
 * under one name, a function) the second is 'encoder.2:matmul#1', in the order in which they run.
 */
export function tensorKeys({ tensors, nodes }: Graph): Map<TensorId, string> {
  const keys = new Map<TensorId, string>();
  const taken = new Map<string, number>();
  const call = (id: TensorId, name: string) => {
    const before = taken.get(name) ?? 0;
    taken.set(name, before + 1);
    keys.set(id, before ? `${name}#${before}` : name);
  };
  for (const t of tensors) if (t.kind === 'input') call(t.id, t.name!);
  for (const { op, path, outputs } of nodes) for (const id of outputs) call(id, `${path}:${op}`);
  return keys;
}
