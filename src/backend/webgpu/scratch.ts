/**
 * Words behind a plan's arena that kernels use besides its tensors: some kept as long as the program (weights packed once),
 * the others lent for one step and then lent again.
 *
 *     | the plan's arena | kept | lent |
 */
export class Scratch {
  private readonly from: number;
  private readonly lentFrom: number;
  private kept = 0;
  private most = 0;
  private lent = 0;

  /** `keptWords` is what a first walk over all steps has found; sizes come from such a walk, places from the second. */
  constructor(fromWord: number, keptWords = 0) {
    this.from = fromWord;
    this.lentFrom = fromWord + keptWords;
  }

  /** Words for the life of the program; the place of the first. */
  keep(words: number): number {
    const at = this.from + this.kept;
    this.kept += up(words);
    return at;
  }

  /** Words until the step's end. */
  lend(words: number): number {
    const at = this.lentFrom + this.lent;
    this.lent += up(words);
    this.most = Math.max(this.most, this.lent);
    return at;
  }

  /** From here on what was lent may be lent again. */
  nextStep(): void {
    this.lent = 0;
  }

  get keptWords(): number {
    return this.kept;
  }

  /** All words, kept and lent. */
  get words(): number {
    return this.kept + this.most;
  }
}

const up = (words: number): number => Math.ceil(words / 16) * 16;
