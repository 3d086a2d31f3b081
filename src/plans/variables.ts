import { sizeOf } from '../core/shape.ts';
import { makersOf } from '../graph/graph.ts';
import { alignUp } from '../graph/memory.ts';
import { FLAT_ALIGNMENT, Tensor, type Tracer } from '../graph/trace.ts';
import type { Parameter, Variable } from '../graph/variable.ts';
import { opOf } from '../ops/index.ts';
import type { Optimizer } from '../optim/optimizer.ts';
import { type Bind, through } from './bind.ts';

/** Where a variable's values are in a training plan. */
export interface PlacedVariable {
  readonly name: string;
  readonly variable: Variable;
  /** The state they are in: that of all parameters, or a buffer's own. */
  readonly slot: string;
  /** Their first element in it; of a parameter a multiple of FLAT_ALIGNMENT. */
  readonly offset: number;
  /** Whether it is a parameter of the binding's own, not the model's. */
  readonly isBindings: boolean;
}

/** Parameters with one optimizer, which lie side by side. */
export interface GroupRange {
  readonly optimizer: Optimizer;
  /** Their first element, and one past the last of the room that they take. */
  readonly from: number;
  readonly to: number;
  readonly parameters: readonly { readonly name: string; readonly offset: number; readonly size: number }[];
}

/** What updates a parameter, by its name; undefined where it is frozen. */
export type OptimizerFor = (name: string) => Optimizer | undefined;

/**
 * The variables of a training plan. All parameters lie in one flat state tensor, those that are trained before the others, group by
 * group; where they lie is known when the last one has been used. Each buffer is a state of its own.
 */
export class TrainedVariables {
  /** All parameters; as long as they are once it is closed. */
  flat: Tensor;
  /** Where each group of the trained ones lies, once it is closed. */
  groups: readonly GroupRange[] = [];
  private readonly tracer: Tracer;
  private readonly slot: string;
  private readonly names: (variable: Variable) => string;
  private readonly parts = new Map<Parameter, Tensor>();
  /** Parameters whose gradients are wanted. */
  private readonly wanted = new Set<Parameter>();
  private readonly ofBinding = new Set<Variable>();
  private readonly buffers = new Map<Variable, string>();

  /** `isFrozen`: whether a parameter that would be trained is not, by its name. */
  constructor(
    tracer: Tracer,
    slot: string,
    names: (variable: Variable) => string,
    bind: Bind | undefined,
    isFrozen?: (name: string) => boolean,
  ) {
    this.tracer = tracer;
    this.slot = slot;
    this.names = names;
    this.flat = tracer.state(slot, { dtype: 'f32', shape: [0] });
    tracer.bindVariables(
      through(bind, names, {
        trained: (parameter, isBindings) => {
          if (isBindings) this.ofBinding.add(parameter);
          return isFrozen?.(names(parameter)) ? this.frozen(parameter) : this.trained(parameter);
        },
        frozen: (parameter) => this.frozen(parameter),
        buffer: (buffer) => this.buffer(buffer),
      }),
    );
  }

  /** Whether the model uses any parameters. */
  get isEmpty(): boolean {
    return this.parts.size === 0;
  }

  /** The tensors that gradients are wanted of. */
  get trainable(): Tensor[] {
    return [...this.wanted].map((p) => this.parts.get(p)!);
  }

  /** Names of parameters by the ids of their tensors. */
  get namesById(): Map<number, string> {
    return new Map([...this.parts].map(([p, { id }]) => [id, this.names(p)]));
  }

  /** Elements of the trained parameters, which begin the flat tensor. */
  get trainedLength(): number {
    return this.groups.at(-1)?.to ?? 0;
  }

  /** Places parameters: those that have gradients group by group, in the order in which groups are first used, then the others. */
  close(trained: readonly Tensor[], optimizerFor: OptimizerFor): void {
    const ids = new Set(trained.map((t) => t.id));
    // Some are named by their position: in the order of their use, wherever they come to lie.
    for (const parameter of this.parts.keys()) this.names(parameter);
    let end = 0;
    const place = ([parameter, { id, shape }]: [Parameter, Tensor]) => {
      const offset = end;
      this.tracer.amend(id, { view: { of: this.flat.id, offset } });
      end = alignUp(offset + sizeOf(shape), FLAT_ALIGNMENT);
      return { name: this.names(parameter), offset, size: sizeOf(shape) };
    };
    const byOptimizer = new Map<Optimizer, [Parameter, Tensor][]>();
    for (const part of this.parts) {
      const optimizer = ids.has(part[1].id) ? optimizerFor(this.names(part[0])) : undefined;
      if (optimizer) byOptimizer.set(optimizer, [...(byOptimizer.get(optimizer) ?? []), part]);
    }
    this.groups = [...byOptimizer].map(([optimizer, parts]) => {
      const from = end;
      const parameters = parts.map(place);
      return { optimizer, from, to: end, parameters };
    });
    for (const part of this.parts) if (!ids.has(part[1].id)) place(part);
    this.tracer.amend(this.flat.id, { shape: [end] });
    this.flat = new Tensor(this.tracer, this.tracer.tensors[this.flat.id]);
  }

  /** All of them, parameters first, each kind in the order in which the model first used it. */
  get placed(): PlacedVariable[] {
    const placed = (variable: Variable, slot: string, offset: number): PlacedVariable => {
      return { name: this.names(variable), variable, slot, offset, isBindings: this.ofBinding.has(variable) };
    };
    return [
      ...[...this.parts].map(([p, { id }]) => placed(p, this.slot, this.tracer.tensors[id].view!.offset)),
      ...[...this.buffers].map(([buffer, slot]) => placed(buffer, slot, 0)),
    ];
  }

  private part(parameter: Parameter): Tensor {
    let part = this.parts.get(parameter);
    if (!part) {
      const { dtype, shape } = parameter;
      part = this.tracer.state(undefined, { dtype, shape }, { of: this.flat.id, offset: 0 });
      this.parts.set(parameter, part);
    }
    return part;
  }

  private trained(parameter: Parameter): Tensor {
    this.wanted.add(parameter);
    return this.part(parameter);
  }

  /** Another tensor than the parameter's: no gradient of that reaches it. */
  private frozen(parameter: Parameter): Tensor {
    const { id, dtype, shape } = this.part(parameter);
    return this.tracer.state(undefined, { dtype, shape }, { of: id, offset: 0 });
  }

  private buffer(buffer: Variable): Tensor {
    const slot = `buffers.${this.names(buffer)}`;
    this.buffers.set(buffer, slot);
    const { dtype, shape } = buffer;
    return this.tracer.state(slot, { dtype, shape });
  }
}

/** The flat tensor of gradients, zero where there is none. Makes each gradient's op write straight into its parameter's place. */
export function placeGradients(
  tracer: Tracer,
  gradients: readonly (Tensor | undefined)[],
  parameters: readonly Tensor[],
  length: number,
): Tensor {
  const flat = tracer.scratch('gradients', { dtype: 'f32', shape: [length] });
  const makers = makersOf(tracer.graph);
  gradients.forEach((gradient, i) => {
    if (!gradient) return;
    const { offset } = tracer.tensors[parameters[i].id].view!;
    let { id } = gradient;
    let maker = makers[id];
    while (maker && opOf(maker.op).alias) {
      [id] = maker.inputs;
      maker = makers[id];
    }
    // Constants are folded away, and one op's result can't be in two places: those are copied.
    const isOwn = maker && maker.op !== 'fill' && maker.section === 'backward' && !tracer.tensors[id].view;
    const own = isOwn ? id : tracer.at(maker?.path ?? '', () => tracer.apply('copy', [gradient]).id);
    tracer.amend(own, { view: { of: flat.id, offset } });
  });
  return flat;
}
