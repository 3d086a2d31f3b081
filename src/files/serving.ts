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
import { FrozenModel } from '../model/frozen.ts';
import type { QuantAttrs } from '../ops/quantized.ts';
import { inferGraph, inferSlots } from '../plans/infer.ts';
import { quantizeValue } from '../quantize/quantization.ts';
import { OUTPUT_U8, type QuantizedModel, quantizedGraph } from '../quantize/quantize.ts';

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

/** A forward plan with one input and one output, and what their numbers stand for: real = (q - zeroPoint) * scale. */
export interface ServingPlan {
  readonly plan: Plan;
  readonly input: QuantAttrs;
  readonly output: QuantAttrs;
}

const plain: QuantAttrs = { scale: 1, zeroPoint: 0 };

/** The forward plan of a model for one batch size, its input and output as asked for. */
export function servingPlan(
  model: FrozenModel | QuantizedModel,
  batch: number,
  { byteInput, output }: ServingOptions,
): ServingPlan {
  const isF32 = model instanceof FrozenModel;
  if (isF32 && (byteInput || output === 'u8'))
    fail(
      'unsupported',
      `an f32 model has f32 inputs and outputs; quantize it to use ${byteInput ? 'byteInput' : "output: 'u8'"}`,
    );
  const whole = isF32 ? inferGraph(model, batch) : quantizedGraph(model, batch);
  const chosen = chooseOutput(whole, output);
  const graph = byteInput ? takeBytes(chosen.graph, byteInput) : chosen.graph;
  return {
    plan: buildPlan(graph, { name: `frozen ${isF32 ? 'f32' : 'int8'}, batch ${batch}` }),
    input: byteInput ? { scale: byteInput.scale, zeroPoint: -byteInput.shift / byteInput.scale } : plain,
    output: chosen.stands,
  };
}

/** Leaves one of the two outputs that an int8 graph may have. */
function chooseOutput(graph: Graph, wish: 'u8' | 'f32' | undefined): { graph: Graph; stands: QuantAttrs } {
  const { [inferSlots.output]: real, [OUTPUT_U8]: raw } = graph.outputs;
  if (raw === undefined && wish === 'u8')
    fail(
      'unsupported',
      "output: 'u8' needs a last layer that is quantized, and this model's stays f32 (see its report)",
    );
  if (raw === undefined || wish === 'f32')
    return { graph: { ...graph, outputs: { [inferSlots.output]: real } }, stands: plain };
  const maker = makersOf(graph)[real];
  if (maker?.op !== 'dequantize')
    fail('internal', 'the f32 output of an int8 graph is not what its bytes stand for');
  const { scale, zeroPoint } = maker.attrs;
  return { graph: { ...graph, outputs: { [inferSlots.output]: raw } }, stands: { scale, zeroPoint } };
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
  // The same memory under another shape holds bytes too.
  const next = () => {
    tensors[id] = { ...tensors[id], dtype: 'u8' };
    const [reader, ...others] = readers[id];
    return others.length === 0 && (reader?.op === 'reshape' || reader?.op === 'quantize')
      ? reader
      : fail(
          'unsupported',
          'byteInput needs a model whose input is only quantized; this one also uses it as f32 (see its report)',
        );
  };
  let reader = next();
  for (; reader.op === 'reshape'; reader = next()) [id] = reader.outputs;
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
