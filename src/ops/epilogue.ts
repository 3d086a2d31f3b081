import { fail } from '../core/errors.ts';
import { sameShape, showShape } from '../core/shape.ts';
import { type ActivationRef, activationDerivative, activationFunction } from './activation.ts';
import type { TensorType } from './op.ts';

/** What a product does to its sums before they are stored. Set by fusion, after differentiation. */
export interface Epilogue {
  /** Applied to the finished element, after the bias. */
  readonly activation?: ActivationRef;
  /**
   * The product is the gradient of this activation's output, and becomes that of its input: the third operand is what the
   * derivative is computed from, of the product's shape, instead of a bias.
   */
  readonly derivative?: ActivationRef;
}

type Numbers = ArrayLike<number>;

/** What becomes of the sum of element i, given the values of the third operand. Throws where that does not fit. */
export function finisher(
  name: string,
  third: TensorType | undefined,
  output: TensorType,
  { activation, derivative }: Epilogue,
): (sum: number, i: number, third: Numbers | undefined) => number {
  const n = output.shape.at(-1)!;
  if (derivative && activation)
    fail('invalid_argument', `${name}: got both an activation and a derivative, expected one`);
  if (derivative && !third)
    fail('invalid_argument', `${name}: the derivative of ${derivative.name} needs what it is computed from`);
  const [what, expected] = derivative ? [`what ${derivative.name} saved`, output.shape] : ['the bias', [n]];
  if (third && !sameShape(third.shape, expected))
    fail(
      'shape_mismatch',
      `${name}: ${what} has shape ${showShape(third.shape)}, expected ${showShape(expected)}`,
    );
  if (derivative) {
    const derive = activationDerivative(derivative);
    return (sum, i, saved) => derive(sum, saved![i]);
  }
  const activate = activation ? activationFunction(activation) : (x: number) => x;
  return (sum, i, bias) => activate(bias ? sum + bias[i % n] : sum);
}

/** Operations for each element besides its sum. */
export const epilogueFlops = (third: TensorType | undefined, { activation, derivative }: Epilogue): number =>
  (third ? 1 : 0) + (activation || derivative ? 1 : 0);
