import { fail } from '../core/errors.ts';
import { showShape, sizeOf } from '../core/shape.ts';
import { type OpName, opOf } from '../ops/index.ts';
import type { Emit, EmitAll, Sym } from '../ops/op.ts';
import type { TensorId } from './graph.ts';
import { Tensor, type Tracer } from './trace.ts';

/** As gradientsOf(), with zeros where the loss does not depend on a tensor. */
export function differentiate(tracer: Tracer, loss: Tensor, wrt: readonly Tensor[]): Tensor[] {
  const zeros = ({ shape }: Tensor) => tracer.apply('fill', [], { value: 0, shape, dtype: 'f32' });
  return gradientsOf(tracer, loss, wrt).map((gradient, i) => gradient ?? zeros(wrt[i]));
}

/**
 * Reverse-mode differentiation: appends to the trace the ops that compute d loss / d w for each w,
 * and returns those gradients; undefined where the loss does not depend on w. Works on any graph of differentiable ops; a
 * tensor used more than once gets the sum of what its uses contribute.
 */
export function gradientsOf(tracer: Tracer, loss: Tensor, wrt: readonly Tensor[]): (Tensor | undefined)[] {
  if (sizeOf(loss.shape) !== 1 || loss.dtype !== 'f32')
    fail(
      'shape_mismatch',
      `the loss is ${loss.dtype} ${showShape(loss.shape)}, expected one f32; take its mean or sum`,
    );
  const emit: Emit = (op, inputs, attrs = {}) => tracer.apply(op as OpName, inputs, attrs);
  const emitAll: EmitAll = (op, inputs, attrs = {}) => tracer.applyAll(op as OpName, inputs, attrs);
  const nodes = tracer.nodes.slice();
  const reached = dependents(tracer, wrt);
  const gradients = new Map<TensorId, Sym>();
  const contribute = (id: TensorId, gradient: Sym) => {
    const before = gradients.get(id);
    gradients.set(id, before ? emit('add', [before, gradient]) : gradient);
  };

  contribute(loss.id, emit('fill', [], { value: 1, shape: loss.shape, dtype: 'f32' }));
  for (const node of nodes.reverse()) {
    const dys = node.outputs.map((id) => (reached.has(id) ? gradients.get(id) : undefined));
    if (dys.every((dy) => dy === undefined)) continue;
    // A gradient belongs to the layer that it is the gradient of.
    tracer.at(node.path, () => {
      const rule = opOf(node.op).gradient;
      if (!rule)
        fail(
          'unsupported',
          `${node.op} has no gradient; it can't stand between the loss and a trained parameter`,
        );
      const tensorsOf = (ids: readonly TensorId[]) => ids.map((id) => new Tensor(tracer, tracer.tensors[id]));
      const [inputs, outputs] = [tensorsOf(node.inputs), tensorsOf(node.outputs)];
      const wanted = (i: number) => reached.has(node.inputs[i]);
      const contributions = rule({ inputs, outputs, dys, attrs: node.attrs, emit, emitAll, wanted });
      contributions.forEach((gradient, i) => {
        if (gradient && wanted(i)) contribute(node.inputs[i], gradient);
      });
    });
  }
  return wrt.map((w) => gradients.get(w.id) as Tensor | undefined);
}

/** Tensors whose value depends on one of `roots`, the roots included. */
function dependents(tracer: Tracer, roots: readonly Tensor[]): Set<TensorId> {
  const reached = new Set(roots.map((t) => t.id));
  for (const { inputs, outputs } of tracer.nodes)
    if (inputs.some((id) => reached.has(id))) for (const id of outputs) reached.add(id);
  return reached;
}
