/** After how many inferences serving has cost more than training did, in whichever unit both are given. */
export function breakEven(training: number, inference: number): number {
  if (!(training >= 0) || !(inference > 0)) return Number.POSITIVE_INFINITY;
  return Math.ceil(training / inference);
}
