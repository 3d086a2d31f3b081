import { bytesPerElement, type DType } from '../../../core/dtype.ts';
import { type Shape, sizeOf } from '../../../core/shape.ts';
import type { Plan, TensorRef } from '../../../graph/plan.ts';
import type { ActivationRef } from '../../../ops/activation.ts';
import type { WasmBuild } from '../load.ts';
import type { Scaling } from './image.ts';

/** The input or output of a frozen model: one sample's type, and what its numbers stand for. */
export interface FrozenTensor extends Scaling {
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
  /** Which kernels are in it: those between integers, or all of a forward pass. */
  readonly kernels: 'int8' | 'full';
  /** Most samples of one run. */
  readonly maxBatch: number;
  /** One sample's input. */
  readonly input: FrozenTensor;
  /** One sample's result. */
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

/** The input and output of a plan, for one sample. */
export const tensorOf = ({ dtype, shape }: TensorRef, scaling: Scaling): FrozenTensor => ({
  dtype,
  shape: shape.slice(1),
  ...scaling,
});

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
const isScaled = (t: Partial<FrozenTensor>): boolean =>
  isTyped(t) && Number.isFinite(t.scale) && Number.isFinite(t.zeroPoint);

/** Whether what a file says of itself is such a description: its checksum says only that nobody changed it by accident. */
export function isFrozenInfo(value: unknown): value is Omit<FrozenInfo, 'fileBytes'> {
  if (typeof value !== 'object' || value === null) return false;
  const { abi, build, kernels, maxBatch, input, output, layers, weightBytes, memoryBytes } =
    value as Partial<FrozenInfo>;
  return (
    [abi, maxBatch, weightBytes, memoryBytes].every(isSize) &&
    (build === 'simd128' || build === 'relaxed') &&
    (kernels === 'int8' || kernels === 'full') &&
    isScaled(input ?? {}) &&
    isScaled(output ?? {}) &&
    Array.isArray(layers) &&
    layers.every((l) => isTyped(l) && typeof l.op === 'string' && isSize(l.weightBytes))
  );
}
