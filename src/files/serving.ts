import { oneOf, real, required } from '../core/checks.ts';
import type { TypedArray } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { type Checks, nested } from '../core/options.ts';
import { buildPlan } from '../graph/build-plan.ts';
import {
  type Graph,
  type GraphTensor,
  makersOf,
  type Node,
  readersOf,
  type TensorId,
} from '../graph/graph.ts';
import type { Plan } from '../graph/plan.ts';
import { type AnyFrozen, FrozenModel } from '../model/frozen.ts';
import { isLone, slotName, slotsOf } from '../model/signature.ts';
import { opOf } from '../ops/index.ts';
import type { QuantAttrs } from '../ops/quantized.ts';
import { inferGraph } from '../plans/infer.ts';
import { quantizeValue } from '../quantize/quantization.ts';
import { type AnyQuantized, quantizedGraph } from '../quantize/quantize.ts';
import { rawSlot } from '../quantize/rewrite.ts';

/** How the outside world hands samples to a model that is served alone, and takes results from it. */
export interface ServingOptions {
  /**
   * Samples are bytes, and the model sees f32(byte * scale + shift), as `data.fromArrays({ transform })` makes them.
   * A quarter of the bytes to hand over, and the same results bit for bit; int8 models only.
   */
  readonly byteInput?: { readonly scale: number; readonly shift: number };
  /** 'u8' (the default where the last layer is quantized): the raw numbers of the last layer; 'f32': their values. */
  readonly output?: 'u8' | 'f32';
}

type ByteInput = NonNullable<ServingOptions['byteInput']>;

export const servingChecks: Checks<ServingOptions> = {
  byteInput: nested<ByteInput>("freeze's byteInput", { scale: required(real()), shift: required(real()) }),
  output: oneOf('u8', 'f32'),
};

/** An input or output by its name, its slot, and what its numbers stand for: real = (q - zeroPoint) * scale. */
export interface ServedTensor extends QuantAttrs {
  readonly name: string;
  readonly slot: string;
}

/** A forward plan, and what it takes and gives. */
export interface ServingPlan {
  readonly plan: Plan;
  readonly inputs: readonly ServedTensor[];
  readonly outputs: readonly ServedTensor[];
}

const plain: QuantAttrs = { scale: 1, zeroPoint: 0 };

/** The forward plan of a model for one batch size, its input and output as asked for. */
export function servingPlan(
  model: AnyFrozen | AnyQuantized,
  batch: number,
  { byteInput, output }: ServingOptions,
): ServingPlan {
  const isF32 = model instanceof FrozenModel;
  if (isF32 && (byteInput || output === 'u8'))
    fail(
      'unsupported',
      `an f32 model has f32 inputs and outputs; quantize it to use ${byteInput ? 'byteInput' : "output: 'u8'"}`,
    );
  const { inputs } = isF32 ? model : model.frozen;
  if (byteInput && !isLone('input', inputs))
    fail(
      'unsupported',
      `byteInput is for a model with one input without a name; make the inputs that are bytes u8 (of ${Object.keys(inputs).join(', ')})`,
    );
  const whole = isF32 ? inferGraph(model, batch) : quantizedGraph(model, batch);
  const outputs = Object.keys(slotsOf('output', whole.outputs)).map((name) => served(whole, name, output));
  const chosen = Object.fromEntries(outputs.map(({ slot, id }) => [slot, id]));
  const graph = { ...whole, outputs: chosen };
  const scaling = byteInput && { scale: byteInput.scale, zeroPoint: -byteInput.shift / byteInput.scale };
  return {
    plan: buildPlan(byteInput ? takeBytes(graph, byteInput) : graph, {
      name: `frozen ${isF32 ? 'f32' : 'int8'}, batch ${batch}`,
    }),
    inputs: Object.keys(inputs).map((name) => ({
      ...{ name, slot: slotName('input', name), ...(scaling ?? plain) },
    })),
    outputs: outputs.map(({ id, ...tensor }) => tensor),
  };
}

/** Which of the two forms that an output of an int8 graph may have is served, as the slot of that name. */
function served(
  graph: Graph,
  name: string,
  wish: 'u8' | 'f32' | undefined,
): ServedTensor & { readonly id: TensorId } {
  const slot = slotName('output', name);
  const { [slot]: real, [rawSlot(name)]: raw } = graph.outputs;
  if (raw === undefined && wish === 'u8')
    fail(
      'unsupported',
      `output: 'u8' needs a last layer that is quantized, and this model's ${name === 'output' ? '' : `before '${name}' `}stays f32 (see its report)`,
    );
  if (raw === undefined || wish === 'f32') return { name, slot, id: real, ...plain };
  const maker = makersOf(graph)[real];
  if (maker?.op !== 'dequantize')
    fail('internal', 'the f32 output of an int8 graph is not what its bytes stand for');
  const { scale, zeroPoint } = maker.attrs;
  return { name, slot, id: raw, scale, zeroPoint };
}

/** Turns quantizing the input into looking bytes up: table[byte] = quantize(f32(byte * scale + shift)). */
function takeBytes(graph: Graph, { scale, shift }: { scale: number; shift: number }): Graph {
  if (!Number.isFinite(scale) || scale === 0 || !Number.isFinite(shift))
    fail(
      'invalid_argument',
      `byteInput is { scale: ${scale}, shift: ${shift} }; expected finite numbers, scale not 0`,
    );
  const tensors = [...graph.tensors];
  const readers = readersOf(graph);
  let id: TensorId = tensors.findIndex((t) => t.kind === 'input');
  // Under another shape, or in another order, they are bytes too.
  const onlyMoves = ({ op }: Node) => opOf(op).alias === true || opOf(op).permutation !== undefined;
  const next = () => {
    tensors[id] = { ...tensors[id], dtype: 'u8' };
    const [reader, ...others] = readers[id];
    return others.length === 0 && reader && (reader.op === 'quantize' || onlyMoves(reader))
      ? reader
      : fail(
          'unsupported',
          'byteInput needs a model whose input is only quantized; this one also uses it as f32 (see its report)',
        );
  };
  let reader = next();
  for (; reader.op !== 'quantize'; reader = next()) [id] = reader.outputs;
  const params = reader.attrs;
  const data: TypedArray = Uint8Array.from({ length: 256 }, (_, byte) =>
    quantizeValue(Math.fround(byte * scale + shift), params),
  );
  const table: GraphTensor = { id: tensors.length, kind: 'constant', dtype: 'u8', shape: [256], data };
  const looked: Node = { ...reader, op: 'activation_i8', inputs: [id, table.id], attrs: { stands: params } };
  return {
    ...graph,
    tensors: [...tensors, table],
    nodes: graph.nodes.map((n) => (n === reader ? looked : n)),
  };
}
