import { bytesPerElement, type DType } from '../../../core/dtype.ts';
import { type Shape, sizeOf } from '../../../core/shape.ts';
import type { Plan, TensorRef } from '../../../graph/plan.ts';
import type { ActivationRef } from '../../../ops/activation.ts';
import type { WasmBuild } from '../load.ts';
import type { Scaling, ServedTensor } from './image.ts';

/** The input or output of a frozen model: one sample's type, and what its numbers stand for. */
export interface FrozenTensor extends Scaling {
  /** What it is called; `input` or `output` where the model needs no names. */
  readonly name: string;
  /** Element type. */
  readonly dtype: DType;
  /** Without the samples' dimension. */
  readonly shape: Shape;
}

/** One step of a frozen model. */
export interface FrozenLayer {
  /** Its op, as in docs/SUPPORT.md. */
  readonly op: string;
  /** The activation fused into it. */
  readonly activation?: string;
  /** Of one sample's result. */
  readonly dtype: DType;
  /** Of one sample's result, without the samples' dimension. */
  readonly shape: Shape;
  /** What the numbers of a u8 result stand for. */
  readonly scale?: number;
  /** The number that stands for 0 in a u8 result. */
  readonly zeroPoint?: number;
  /** Bytes of its weights, biases, multipliers and tables. */
  readonly weightBytes: number;
}

/** What is in a frozen file. */
export interface FrozenInfo {
  /** Version of the module's exports. */
  readonly abi: number;
  /** Instructions that a host needs: 'simd128' is standard WebAssembly, 'relaxed' also has relaxed SIMD. */
  readonly build: WasmBuild;
  /** What its kernels were taken from: those between integers, or all of a forward pass. It has those of its own records. */
  readonly kernels: 'int8' | 'full';
  /** Most samples of one run. */
  readonly maxBatch: number;
  /** One sample's inputs, in the order in which the module's exports number them. */
  readonly inputs: readonly FrozenTensor[];
  /** One sample's results, in that order. */
  readonly outputs: readonly FrozenTensor[];
  /** The first of the inputs, which most models have alone. */
  readonly input: FrozenTensor;
  /** The first of the outputs. */
  readonly output: FrozenTensor;
  /** Steps of a forward pass, in order. */
  readonly layers: readonly FrozenLayer[];
  /** Bytes of all weights, biases, multipliers and tables. */
  readonly weightBytes: number;
  /** Memory of an instance. */
  readonly memoryBytes: number;
  /** What was kept in its description, by name. */
  readonly notes?: Readonly<Record<string, string>>;
  /** Bytes of the file. */
  readonly fileBytes: number;
}

const bytesOf = ({ dtype, shape }: TensorRef): number => sizeOf(shape) * bytesPerElement[dtype];

/** An input or output of a plan, for one sample. */
export const tensorOf = (
  { dtype, shape }: TensorRef,
  { name, scale, zeroPoint }: ServedTensor,
): FrozenTensor => ({ name, dtype, shape: shape.slice(1), scale, zeroPoint });

/** The steps of a plan, told for one sample. Shapes without the samples in front are left whole. */
export function layersOf(plan: Plan, most: number): FrozenLayer[] {
  return plan.steps.map(({ op, attrs, inputs, outputs: [output] }) => {
    const { activation, stands, scale, zeroPoint } = attrs as StepAttrs;
    const [first, ...sizes] = output.shape;
    const numbers = stands ?? (op === 'quantize' ? { scale, zeroPoint } : undefined);
    return {
      op,
      ...(activation && { activation: activation.name }),
      dtype: output.dtype,
      shape: first === most ? sizes : output.shape,
      ...(numbers && { scale: numbers.scale, zeroPoint: numbers.zeroPoint }),
      weightBytes: inputs.reduce((sum, t) => sum + (t.constant ? bytesOf(t) : 0), 0),
    };
  });
}

interface StepAttrs extends Partial<Scaling> {
  readonly activation?: ActivationRef;
  readonly stands?: Scaling;
}

export const weightBytesOf = (plan: Plan): number =>
  plan.constants.reduce((sum, c) => sum + c.data.byteLength, 0);

const isSize = (n: unknown): boolean => Number.isSafeInteger(n) && (n as number) >= 0;
const isTyped = (t: Partial<FrozenTensor> | null): boolean =>
  typeof t === 'object' &&
  t !== null &&
  Object.hasOwn(bytesPerElement, String(t.dtype)) &&
  Array.isArray(t.shape) &&
  t.shape.every(isSize);
const isServed = (t: Partial<FrozenTensor>): boolean =>
  isTyped(t) && Number.isFinite(t.scale) && Number.isFinite(t.zeroPoint) && typeof t.name === 'string';
const areServed = (list: unknown): boolean => Array.isArray(list) && list.length > 0 && list.every(isServed);

/** What a frozen file says of itself. */
export type Description = Omit<FrozenInfo, 'fileBytes' | 'input' | 'output'>;

/**
 * What a file says of itself, where that is such a description: its checksum says only that nobody changed it by accident.
 * Files of ABI 1 have one input and one output, without names.
 */
export function descriptionOf(value: unknown): Description | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { input, output, ...told } = value as Partial<FrozenInfo>;
  const { inputs = [{ name: 'input', ...input }], outputs = [{ name: 'output', ...output }] } = told;
  const { abi, build, kernels, maxBatch, layers, weightBytes, memoryBytes } = told;
  const isSound =
    [abi, maxBatch, weightBytes, memoryBytes].every(isSize) &&
    (build === 'simd128' || build === 'relaxed') &&
    (kernels === 'int8' || kernels === 'full') &&
    areServed(inputs) &&
    areServed(outputs) &&
    Array.isArray(layers) &&
    layers.every((l) => isTyped(l) && typeof l.op === 'string' && isSize(l.weightBytes));
  return isSound ? ({ ...told, inputs, outputs } as Description) : undefined;
}
