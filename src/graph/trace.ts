import { flag, required } from '../core/checks.ts';
import type { TypedArray } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { optionsOf } from '../core/options.ts';
import { type Shape, sameShape, showShape, sizeOf } from '../core/shape.ts';
import { type OpName, opOf } from '../ops/index.ts';
import type { Sym, TensorType } from '../ops/op.ts';
import type { Graph, GraphTensor, Node, TensorId } from './graph.ts';
import { located } from './located.ts';
import { ALIGNMENT, type Section } from './plan.ts';
import type { Buffer, Variable } from './variable.ts';

/** A tensor of a model being traced: a type and a place in the graph, no values. */
export class Tensor implements Sym {
  /** What records it. */
  readonly tracer: Tracer;
  /** Its number in the graph. */
  readonly id: TensorId;
  /** Element type. */
  readonly dtype: TensorType['dtype'];
  /** Sizes, outermost first. */
  readonly shape: Shape;

  constructor(tracer: Tracer, { id, dtype, shape }: GraphTensor) {
    this.tracer = tracer;
    this.id = id;
    this.dtype = dtype;
    this.shape = shape;
  }
}

/** Gives each variable of a model its tensor: a state when training, a constant when frozen. */
export type VariableBinding = (variable: Variable) => Tensor;

const checkTracer = optionsOf<{ training: boolean }>('Tracer', { training: required(flag) });

/** The tracer whose model function runs now. */
let current: Tracer | undefined;

/** The tracer whose model function runs now, if one does. */
export const tracing = (): Tracer | undefined => current;

/** Runs something as outside of any trace, so that it may trace another model. */
export function outside<T>(work: () => T): T {
  const before = current;
  current = undefined;
  try {
    return work();
  } finally {
    current = before;
  }
}

/** Runs a part of a model as the layer `key` of the one around it; outside of any trace it just runs. */
export const scope = <T>(key: string, part: () => T): T => (current ? current.scope(key, part) : part());

/** Records a graph while a model function runs once on symbolic tensors. */
export class Tracer {
  /** Tensors so far, by id. */
  readonly tensors: GraphTensor[] = [];
  /** Ops so far, in the order they were recorded. */
  readonly nodes: Node[] = [];
  /** Ids of named results. */
  readonly outputs: Record<string, TensorId> = {};
  /** Whether layers such as dropout behave as they do in training. */
  readonly training: boolean;
  /** The section that ops recorded now belong to. */
  section: Section = 'forward';
  private where = '';
  private readonly inputs = new Map<string, TensorId>();
  private ran = false;
  private readonly bound = new Map<Variable, Tensor>();
  private readonly assigned = new Map<Variable, Tensor>();
  private bind: VariableBinding | undefined;
  private salts = 0;

  constructor(options: { training: boolean }) {
    this.training = checkTracer(options).training;
  }

  /** What was recorded. */
  get graph(): Graph {
    return { tensors: this.tensors, nodes: this.nodes, outputs: this.outputs };
  }

  /** The layer that ops recorded now belong to: 'encoder.2'; '' outside of all. */
  get path(): string {
    return this.where;
  }

  /** Runs a model function; for that time it is this tracer that scopes and functions without a tensor find. */
  run<T>(model: () => T): T {
    if (current)
      fail(
        'invalid_argument',
        'a model function may not trace another model; trace them one after the other',
      );
    current = this;
    this.ran = true;
    try {
      return model();
    } finally {
      current = undefined;
    }
  }

  /** Whether functions may record here now: not once the model function that they are part of has returned. */
  get isOpen(): boolean {
    return !this.ran || current === this;
  }

  /** Runs a part of the model: what it records belongs to the layer `key` of the one around it. */
  scope<T>(key: string, part: () => T): T {
    return this.at(this.where ? `${this.where}.${key}` : key, part);
  }

  /** Runs something whose ops belong to the layer at this path; errors name the innermost layer that they passed. */
  at<T>(path: string, part: () => T): T {
    const before = this.where;
    this.where = path;
    try {
      return part();
    } catch (error) {
      throw path ? located(error, path) : error;
    } finally {
      this.where = before;
    }
  }

  /** Tells what variables become. */
  bindVariables(bind: VariableBinding): void {
    this.bind = bind;
  }

  /** The tensor of a variable: the same one at every use, so shared weights sum their gradients, until it is assigned. */
  variable(variable: Variable): Tensor {
    const known = this.assigned.get(variable) ?? this.bound.get(variable);
    if (known) return known;
    const bind = this.bind ?? fail('internal', 'a variable was used before variables were bound');
    const tensor = bind(variable);
    this.bound.set(variable, tensor);
    return tensor;
  }

  /** What variables were at the beginning, in the order in which the model first used them. */
  get variables(): ReadonlyMap<Variable, Tensor> {
    return this.bound;
  }

  /**
   * Makes x the value of a buffer: ops recorded from now on read it, and so does the next run. x, or a copy of it, lies in the
   * buffer's memory. Throws 'invalid_argument' outside of training, 'shape_mismatch' and 'dtype_mismatch' for another type.
   */
  assign(buffer: Buffer, x: Tensor): void {
    if (!this.training)
      fail(
        'invalid_argument',
        "assign: a frozen model's buffers stay as they are; assign where ops.training() is true only",
      );
    this.variable(buffer);
    const home = this.bound.get(buffer)!.id;
    if (x.dtype !== buffer.dtype)
      fail('dtype_mismatch', `assign: the buffer is ${buffer.dtype}, the value ${x.dtype}; cast it`);
    if (!sameShape(x.shape, buffer.shape))
      fail(
        'shape_mismatch',
        `assign: the buffer is ${showShape(buffer.shape)}, the value ${showShape(x.shape)}`,
      );
    const tensor = this.mayWriteInto(home, x) ? x : this.apply('copy', [x]);
    this.amend(tensor.id, { view: { of: home, offset: 0 } });
    this.assigned.set(buffer, this.own(tensor.id));
  }

  /** Whether the op that makes x can write it into a buffer's memory itself: passes may move it before any op that reads that. */
  private mayWriteInto(home: TensorId, { id }: Tensor): boolean {
    const isMade = this.nodes.some(({ op, outputs }) => outputs.includes(id) && !opOf(op).alias);
    const isTouched = this.tensors.some(({ view }) => view?.of === home);
    const isRead = this.nodes.some(({ inputs }) => inputs.includes(home));
    return isMade && !this.tensors[id].view && !isTouched && !isRead;
  }

  /** A tensor the caller writes before each run. Asking again for a name gives the same tensor. */
  input(name: string, type: TensorType): Tensor {
    const id = this.inputs.get(name);
    if (id === undefined) {
      const made = this.add({ ...type, kind: 'input', name });
      this.inputs.set(name, made.id);
      return made;
    }
    const known = this.tensors[id];
    if (known.dtype !== type.dtype || !sameShape(known.shape, type.shape))
      fail(
        'shape_mismatch',
        `input '${name}' is ${showShape(known.shape)} and can't also be ${showShape(type.shape)}`,
      );
    return new Tensor(this, known);
  }

  /** A tensor kept from run to run, optionally inside the memory of another one; callers reach it if it has a name. */
  state(name: string | undefined, type: TensorType, view?: GraphTensor['view']): Tensor {
    return this.add({ ...type, kind: 'state', name, view });
  }

  /** A part of a tensor's memory, from element `offset` on; the tensor itself where that is all of it. */
  part(of: Tensor, offset: number, shape: Shape): Tensor {
    const { dtype } = of;
    if (offset === 0 && sameShape(shape, of.shape)) return of;
    return this.state(undefined, { dtype, shape }, { of: of.id, offset });
  }

  /** A named tensor that each run writes piece by piece, before it reads it as a whole; what no run writes stays zero. */
  scratch(name: string, type: TensorType): Tensor {
    return this.add({ ...type, kind: 'scratch', name });
  }

  /** A tensor with these values, the same at every run. */
  constant(data: TypedArray, type: TensorType): Tensor {
    if (data.length !== sizeOf(type.shape))
      fail('shape_mismatch', `a constant of shape ${showShape(type.shape)} was given ${data.length} values`);
    return this.add({ ...type, kind: 'constant', data });
  }

  /** Number for the next random op, so that no two share a stream. */
  nextSalt(): number {
    return this.salts++;
  }

  /** Marks a tensor to be read after a run. */
  output(name: string, tensor: Sym): void {
    this.outputs[name] = tensor.id;
  }

  /** Records an op and returns its output, the first if it has several. */
  apply(op: OpName, inputs: readonly Sym[], attrs: object = {}): Tensor {
    return this.applyAll(op, inputs, attrs)[0];
  }

  /** Records an op and returns its outputs. */
  applyAll(op: OpName, inputs: readonly Sym[], attrs: object = {}): Tensor[] {
    const { inPlace = [] } = opOf(op);
    const outputs = this.record(op, inputs, attrs).map(({ dtype, shape }, i) => {
      const of = inputs[inPlace[i]]?.id;
      return this.add({
        dtype,
        shape: [...shape],
        kind: 'value',
        view: of === undefined ? undefined : { of, offset: 0 },
      });
    });
    const ids = (tensors: readonly Sym[]) => tensors.map((t) => t.id);
    const node = {
      op,
      inputs: ids(inputs),
      outputs: ids(outputs),
      attrs,
      section: this.section,
      path: this.where,
    };
    // What infer() let pass are the op's attributes.
    this.nodes.push(node as Node);
    return outputs;
  }

  /** Replaces what is known of a tensor (a size that was not known, a place in another one's memory). */
  amend(id: TensorId, change: Partial<GraphTensor>): void {
    this.tensors[id] = { ...this.tensors[id], ...change };
  }

  private record(op: OpName, inputs: readonly Sym[], attrs: object): readonly TensorType[] {
    const row = opOf(op);
    for (const t of inputs)
      if (!(t instanceof Tensor) || t.tracer !== this)
        fail(
          'invalid_argument',
          `${op}: got a tensor of another model or a plain value; expected tensors of this trace`,
        );
    const types = row.infer(inputs, attrs);
    for (const { input, below, except } of row.indices?.(inputs, attrs) ?? []) {
      const { id, kind, dtype, ...known } = this.tensors[this.numbersOf(inputs[input].id)];
      // A float is cut to a whole number: which ones that makes is not said by a bound of its own.
      if (kind !== 'input' || dtype === 'f32') continue;
      // What one op ignores another one may need to be an index.
      const agreed = known.below === undefined || known.except === except ? except : undefined;
      this.amend(id, { below: Math.min(known.below ?? Infinity, below), except: agreed });
    }
    for (const { input, least, most } of row.domains ?? []) {
      const { id, kind, within: known = [least, most] } = this.tensors[inputs[input].id];
      if (kind === 'input') this.amend(id, { within: [Math.max(known[0], least), Math.min(known[1], most)] });
    }
    return types;
  }

  /** The tensor whose whole numbers are in this one too, under another shape or type. */
  private numbersOf(id: TensorId): TensorId {
    const maker = this.nodes.find(({ outputs }) => outputs.includes(id));
    if (!maker) return id;
    const { alias, keepsWhole } = opOf(maker.op);
    return alias || keepsWhole ? this.numbersOf(maker.inputs[0]) : id;
  }

  private own(id: TensorId): Tensor {
    return new Tensor(this, this.tensors[id]);
  }

  private add(tensor: Omit<GraphTensor, 'id'>): Tensor {
    const full = { ...tensor, id: this.tensors.length };
    this.tensors.push(full);
    return new Tensor(this, full);
  }
}

/** Elements between tensors that share one flat tensor: each starts where a tensor of its own would. */
export const FLAT_ALIGNMENT = ALIGNMENT / 4;
