import { flag, required, text, whole } from '../core/checks.ts';
import { bytesPerElement } from '../core/dtype.ts';
import { optionsOf } from '../core/options.ts';
import { sizeOf } from '../core/shape.ts';
import { costOf, opOf } from '../ops/index.ts';
import { type Graph, type GraphTensor, inputTypes, memoryOf, type TensorId } from './graph.ts';
import { alignUp, type Lifetime, placeByLiveness } from './memory.ts';
import { dropUnused, foldConstants } from './passes/fold.ts';
import { foldScales } from './passes/fold-scale.ts';
import { fuseEpilogues } from './passes/fuse.ts';
import { fuseGradients } from './passes/fuse-gradients.ts';
import { cancelTransposes } from './passes/transposes.ts';
import {
  ALIGNMENT,
  type Constant,
  type Plan,
  type Slot,
  type Step,
  sections,
  type TensorRef,
} from './plan.ts';
import { refuseStaleReads } from './stale-reads.ts';

export interface PlanOptions {
  readonly name: string;
  /** Fold constants, drop what nothing needs, and join biases, activations and their gradients to products; on by default. */
  readonly optimize?: boolean;
  /** Bytes left free behind every tensor, where tests watch for stray writes. */
  readonly guardBytes?: number;
}

const check = optionsOf<PlanOptions>('buildPlan', {
  ...{ name: required(text), optimize: flag, guardBytes: whole(0) },
});

const byteLength = (t: GraphTensor): number => sizeOf(t.shape) * bytesPerElement[t.dtype];

/**
 * Makes a graph executable: folds constants, drops what nothing needs, fuses, orders sections, places memory. Throws
 * 'invalid_argument' where an op needs the value of a state from before it was assigned.
 */
export function buildPlan(traced: Graph, options: PlanOptions): Plan {
  const { name, optimize = true, guardBytes = 0 } = check(options);
  const graph = orderBySection(optimize ? optimized(traced) : traced);
  refuseStaleReads(graph);
  const placement = placeTensors(graph, guardBytes);
  const refOf = (id: TensorId): TensorRef => {
    const { dtype, shape } = graph.tensors[id];
    const constant = graph.tensors[placement.rootOf(id)].kind === 'constant';
    return constant
      ? { dtype, shape, offset: placement.offsetOf(id), constant }
      : { dtype, shape, offset: placement.offsetOf(id) };
  };
  const steps: Step[] = graph.nodes
    .filter((node) => !opOf(node.op).alias)
    .map((node) => ({
      ...node,
      inputs: node.inputs.map(refOf),
      outputs: node.outputs.map(refOf),
      cost: costOf(
        node.op,
        inputTypes(graph, node),
        node.outputs.map((id) => graph.tensors[id]),
        node.attrs,
      ),
    }));
  const constants: Constant[] = placement.persistent
    .filter((t) => t.kind === 'constant')
    .map((t) => ({ ...refOf(t.id), data: t.data! }));
  return {
    name,
    arenaBytes: placement.arenaBytes,
    steps,
    slots: slotsOf(graph, refOf),
    constants,
    memory: placement.memory,
  };
}

const optimized = (traced: Graph): Graph =>
  fuseGradients(fuseEpilogues(dropUnused(foldScales(cancelTransposes(foldConstants(traced))))));

/** Nodes of one section stand together, in the order in which sections run. */
function orderBySection(graph: Graph): Graph {
  return { ...graph, nodes: sections.flatMap((s) => graph.nodes.filter((n) => n.section === s)) };
}

function slotsOf(graph: Graph, refOf: (id: TensorId) => TensorRef): Record<string, Slot> {
  const slots: Record<string, Slot> = {};
  for (const t of graph.tensors)
    if (t.kind !== 'constant' && t.kind !== 'value' && t.name !== undefined)
      slots[t.name] = {
        ...refOf(t.id),
        name: t.name,
        role: t.kind,
        ...(t.below !== undefined && { below: t.below }),
        ...(t.except !== undefined && { except: t.except }),
        ...(t.within !== undefined && { within: t.within }),
      };
  for (const [name, id] of Object.entries(graph.outputs))
    slots[name] = { ...refOf(id), name, role: 'output' };
  return slots;
}

/**
 * Gives every tensor its offset. States and constants come first, then inputs and outputs (which callers
 * touch between runs and which are therefore never reused), then temporaries by liveness.
 */
function placeTensors(graph: Graph, guardBytes: number) {
  const resolve = memoryOf(graph);
  const rootOf = (id: TensorId) => resolve(id).root;

  // When each root is first written and last read; outputs are read after the last step.
  const first = new Map<TensorId, number>();
  const last = new Map<TensorId, number>();
  graph.nodes.forEach((node, step) => {
    for (const id of [...node.inputs, ...node.outputs]) {
      const root = rootOf(id);
      if (!first.has(root)) first.set(root, step);
      last.set(root, step);
    }
  });
  const outputs = new Set(Object.values(graph.outputs).map(rootOf));
  const used = graph.tensors.filter(
    (t) => rootOf(t.id) === t.id && (first.has(t.id) || outputs.has(t.id) || isNamed(t)),
  );
  const isPersistent = (t: GraphTensor) => t.kind !== 'input' && t.kind !== 'value';
  const isKept = (t: GraphTensor) => t.kind === 'input' || outputs.has(t.id);

  const offsets = new Map<TensorId, number>();
  let at = 0;
  const append = (t: GraphTensor) => {
    offsets.set(t.id, at);
    at = alignUp(at + byteLength(t) + guardBytes, ALIGNMENT);
  };
  const persistent = used.filter(isPersistent);
  persistent.forEach(append);
  const persistentBytes = at;
  used.filter((t) => !isPersistent(t) && isKept(t)).forEach(append);
  const keptBytes = at - persistentBytes;

  const temporaries = used.filter((t) => !isPersistent(t) && !isKept(t));
  const lifetimes: Lifetime[] = temporaries.map((t) => ({
    bytes: alignUp(byteLength(t) + guardBytes, ALIGNMENT),
    first: first.get(t.id)!,
    last: last.get(t.id)!,
  }));
  const placed = placeByLiveness(lifetimes, ALIGNMENT);
  temporaries.forEach((t, i) => {
    offsets.set(t.id, at + placed.offsets[i]);
  });

  return {
    rootOf,
    offsetOf: (id: TensorId) => {
      const { root, elements } = resolve(id);
      return offsets.get(root)! + elements * bytesPerElement[graph.tensors[id].dtype];
    },
    persistent,
    arenaBytes: Math.max(at + placed.total, ALIGNMENT),
    memory: {
      persistentBytes,
      temporaryBytes: keptBytes + placed.total,
      temporaryBytesWithoutReuse: keptBytes + lifetimes.reduce((sum, l) => sum + l.bytes, 0),
    },
  };
}

const isNamed = (t: GraphTensor): boolean =>
  t.kind !== 'constant' && t.kind !== 'value' && t.view === undefined;
