import type { TypedArray } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { sizeOf } from '../core/shape.ts';
import { inputTypes, type Node, readersOf, type TensorId } from '../graph/graph.ts';
import { type Epilogue, epilogueOf, isProduct } from '../graph/passes/fuse.ts';
import { type Tensor, Tracer } from '../graph/trace.ts';
import { slotsOf } from '../model/signature.ts';
import type { ConvI8Attrs } from '../ops/conv-i8.ts';
import { opOf } from '../ops/index.ts';
import type { MatmulI8Attrs } from '../ops/quantized.ts';
import { type Bytes, type Clamp, type Form, forms, UNSEEN } from './forms.ts';
import type { KeyedGraph } from './keys.ts';
import {
  activationParams,
  activationTable,
  type QuantizedLinear,
  type QuantParams,
  quantizedLinear,
  quantizeValue,
  type Range,
} from './quantization.ts';

/** The raw u8 values behind an output of an int8 plan, where the layer that gives it is quantized. */
export const rawSlot = (name: string): string => (name === 'output' ? 'output_u8' : `raw.${name}`);

/** What became of one op of the model. */
export interface QuantizedOp {
  /** The layer it belongs to, by its name in the state dict: 'encoder.2'; '' where it is in none. */
  readonly path: string;
  /** The op's name in the table. */
  readonly op: string;
  /** How it runs: in integers, or in f32 with the reason. */
  readonly runs: 'int8' | 'f32';
  /** Why it stays f32. */
  readonly reason?: string;
}

/** The ranges of tensors by their keys. */
export type Ranges = ReadonlyMap<string, Range>;

/**
 * Walks an f32 forward graph and records its int8 counterpart. Each value may exist as u8, as f32, or as both;
 * the missing form is made (once) where an op asks for it.
 */
export class Rewriter {
  readonly tracer = new Tracer({ training: false });
  readonly report: QuantizedOp[] = [];
  private readonly f32 = new Map<TensorId, Tensor>();
  private readonly u8 = new Map<TensorId, Bytes>();
  private readonly source: KeyedGraph;
  private readonly ranges: Ranges;

  constructor(source: KeyedGraph, ranges: Ranges) {
    this.source = source;
    this.ranges = ranges;
  }

  /** Does the work, and hands control back after each layer. */
  *layers(): Generator<void> {
    const { source, report } = this;
    const readers = readersOf(source);
    const absorbed = new Set<Node>();
    for (const t of source.tensors)
      if (t.kind === 'input')
        this.f32.set(t.id, this.tracer.input(t.name!, { dtype: t.dtype, shape: t.shape }));
    for (const node of source.nodes) {
      if (absorbed.has(node)) continue;
      const { op, path } = node;
      const reason = this.tracer.at(path, () => this.quantize(node, readers, absorbed));
      report.push(reason === undefined ? { path, op, runs: 'int8' } : { path, op, runs: 'f32', reason });
      yield;
    }
    for (const [name, id] of Object.entries(source.outputs)) this.tracer.output(name, this.asF32(id));
    for (const [name, id] of Object.entries(slotsOf('output', source.outputs))) {
      const last = this.u8.get(id);
      if (last) this.tracer.output(rawSlot(name), last.tensor);
    }
  }

  /** Records a node in integers, or in f32 and returns why. */
  private quantize(node: Node, readers: Node[][], absorbed: Set<Node>): string | undefined {
    const result = this.integers(node, readers);
    if (typeof result !== 'string') {
      for (const n of result) absorbed.add(n);
      return undefined;
    }
    const inputs = node.inputs.map((id) => this.asF32(id));
    this.f32.set(node.outputs[0], this.tracer.apply(node.op, inputs, node.attrs));
    return result;
  }

  /** The integer form that the facts of an op's row allow: the nodes that went into it, or the reason why there is none. */
  private integers(node: Node, readers: Node[][]): readonly Node[] | string {
    if (isProduct(node)) return this.product(node, epilogueOf(this.source, node, readers));
    const { scalar, moves, fuses, integers } = opOf(node.op);
    const known = node.inputs.some((id) => this.u8.has(id));
    // What stands between f32 ops stays f32; activations come behind products, and are worth the way.
    if (scalar && (fuses || known)) return this.function(node);
    if (integers && known) return this.form(forms[integers], node, readers);
    const input = moves && this.u8.get(node.inputs[0]);
    if (!input) return moves ? 'what it moves is f32 here' : `${node.op} has no integer form`;
    const tensor = this.tracer.apply(node.op, [input.tensor], node.attrs);
    this.u8.set(node.outputs[0], { tensor, params: input.params });
    return [];
  }

  /** What an op does with several numbers, and with a sum the clamp behind it. */
  private form(form: Form, node: Node, readers: Node[][]): readonly Node[] | string {
    const [output] = node.outputs;
    const [next, ...others] = readers[output];
    const only = next && others.length === 0 && !Object.values(this.source.outputs).includes(output);
    const clamp = only && form.clamps ? clampOf(next) : undefined;
    const made = clamp ? next.outputs[0] : output;
    const params = this.params(made);
    if (!params) return UNSEEN;
    const result = form.record({
      ...{ node, inputs: inputTypes(this.source, node), shape: this.source.tensors[output].shape },
      ...{ tracer: this.tracer, bytes: (id) => this.asU8(id), params, clamp: clamped(clamp, params) },
    });
    if (typeof result === 'string') return result;
    this.u8.set(made, result);
    return clamp ? [next] : [];
  }

  /** Any function of one number, as a table. */
  private function(node: Node): readonly Node[] | string {
    const input = this.asU8(node.inputs[0]);
    const params = this.params(node.outputs[0]);
    if (!input || !params) return UNSEEN;
    const table = this.table(node, input.params, params);
    const tensor = this.tracer.apply('activation_i8', [input.tensor, table], { stands: params });
    this.u8.set(node.outputs[0], { tensor, params });
    return [];
  }

  /** A product with constant weights, its bias and activation, as int8; the nodes it absorbed, or the reason why not. */
  private product(node: Node<'matmul' | 'conv'>, epilogue: Epilogue): Node[] | string {
    const [x, w] = inputTypes(this.source, node);
    const { columns } = opOf(node.op);
    if (!columns) return `${node.op} has no integer form`;
    const axis = w.kind === 'constant' ? columns([x, w], node.attrs) : undefined;
    if (axis === undefined) return 'its second operand is not a constant matrix';
    if (node.op === 'matmul' && node.attrs.transposeA) return 'its first operand is transposed';
    const bias = epilogue.bias === undefined ? undefined : this.source.tensors[epilogue.bias];
    if (bias && bias.kind !== 'constant') return 'its bias is not constant';
    const input = this.asU8(x.id);
    const clamp = epilogue.activation && clampOf(epilogue.activation);
    const before = this.params(clamp ? epilogue.output : epilogue.before);
    const after = this.params(epilogue.output);
    if (!input || !before || !after) return UNSEEN;
    const n = w.shape[axis];
    const k = n === 0 ? 0 : sizeOf(w.shape) / n;
    const q = quantizedLinear(
      { data: w.data as Float32Array, n, k, transposed: axis === 0 },
      bias?.data as Float32Array | undefined,
      input.params,
      before,
    );
    if (typeof q === 'string') return q;
    const table = epilogue.activation && !clamp ? [this.table(epilogue.activation, before, after)] : [];
    const attrs = {
      shift: q.shift,
      zeroPoint: before.zeroPoint,
      ...clamped(clamp, before),
      stands: after,
    };
    // A row of weights for each output: of a convolution the channels of its taps.
    const rest = w.shape.filter((_, i) => i !== axis);
    const operands = [input.tensor, ...this.weights(q, [n, ...rest]), ...table];
    const tensor = this.tracer.apply(...integerProduct(node, operands, attrs, input.params.zeroPoint));
    this.u8.set(epilogue.output, { tensor, params: after });
    return [...epilogue.absorbed];
  }

  private weights({ weight, bias, multiplier }: QuantizedLinear, shape: number[]): Tensor[] {
    const constant = (data: TypedArray, dtype: 'i8' | 'i32', shape: number[]) =>
      this.tracer.constant(data, { dtype, shape });
    const [n] = shape;
    return [constant(weight, 'i8', shape), constant(bias, 'i32', [n]), constant(multiplier, 'i32', [n])];
  }

  private table({ op, attrs }: Node, input: QuantParams, output: QuantParams): Tensor {
    const f = opOf(op).scalar!(attrs);
    return this.tracer.constant(activationTable(f, input, output), { dtype: 'u8', shape: [256] });
  }

  private params(id: TensorId): QuantParams | undefined {
    const range = this.ranges.get(this.source.keys.get(id)!);
    return range && activationParams(range);
  }

  private asU8(id: TensorId): Bytes | undefined {
    const known = this.u8.get(id);
    if (known) return known;
    const params = this.params(id);
    if (!params) return undefined;
    const made = {
      tensor: this.tracer.apply('quantize', [this.asF32(id)], { ...params, dtype: 'u8' }),
      params,
    };
    this.u8.set(id, made);
    return made;
  }

  private asF32(id: TensorId): Tensor {
    const known = this.f32.get(id);
    if (known) return known;
    const t = this.source.tensors[id];
    const quantized = this.u8.get(id);
    const made = quantized
      ? this.tracer.apply('dequantize', [quantized.tensor], quantized.params)
      : this.tracer.constant(t.data ?? fail('internal', `tensor ${id} has no values`), {
          dtype: t.dtype,
          shape: t.shape,
        });
    this.f32.set(id, made);
    return made;
  }
}

/** What an op does to a number where all that it does is to keep it between two bounds. */
const clampOf = ({ op }: Node): readonly [low: number, high: number] | undefined =>
  op === 'relu' ? [0, Infinity] : op === 'relu6' ? [0, 6] : undefined;

/** The bounds as bytes. What calibration saw lies within them, so the result's bytes begin or end there. */
const clamped = (clamp: ReturnType<typeof clampOf>, params: QuantParams): Clamp => ({
  min: clamp ? quantizeValue(clamp[0], params) : 0,
  max: clamp ? quantizeValue(clamp[1], params) : 255,
});

/** The int8 op of a product: a convolution's padding is the number that stands for 0. */
function integerProduct(
  { op, attrs }: Node<'matmul' | 'conv'>,
  operands: readonly Tensor[],
  how: MatmulI8Attrs,
  inputZero: number,
): [op: 'matmul_i8' | 'conv_i8', operands: readonly Tensor[], attrs: MatmulI8Attrs] {
  if (op === 'matmul') return ['matmul_i8', operands, how];
  const { stride, padding, dilation, groups } = attrs;
  return ['conv_i8', operands, { ...how, stride, padding, dilation, groups, inputZero } as ConvI8Attrs];
}
