/** Places are multiples of this many words: a multiple of what a shader may read as groups of four. */
const UNIT = 16;

/** Words behind a program's arena that kernels use besides its tensors, lent for one step and then lent again. */
export class Scratch {
  private readonly from: number;
  private lent = 0;
  private most = 0;

  constructor(arenaBytes: number) {
    this.from = Math.ceil(arenaBytes / (4 * UNIT)) * UNIT;
  }

  /** Words until the step's end; the place of the first. */
  lend(words: number): number {
    const at = this.from + this.lent;
    this.lent += Math.ceil(words / UNIT) * UNIT;
    this.most = Math.max(this.most, this.lent);
    return at;
  }

  /** From here on what was lent may be lent again. */
  nextStep(): void {
    this.lent = 0;
  }

  /** Bytes of the arena with all that was lent. */
  get end(): number {
    return 4 * (this.from + this.most);
  }
}
