import { ExtraMemory } from '../extra-memory.ts';

/** Places are multiples of this many words: a multiple of what a shader may read as groups of four. */
const UNIT = 16;

/**
 * Words behind a program's arena that kernels use besides its tensors: some kept as long as the program (weights packed once),
 * the others lent for one step and then lent again.
 *
 *     | the arena | kept | lent |
 */
export class Scratch {
  private readonly from: number;
  private readonly memory: ExtraMemory;
  private reader = '';
  private requests = 0;
  private lentFrom: number;
  private lent = 0;
  private most = 0;

  constructor(fromWord: number) {
    this.from = fromWord;
    this.lentFrom = fromWord;
    this.memory = new ExtraMemory(fromWord, UNIT);
  }

  /** Words for the life of the program; the place of the first. */
  keep(words: number): number {
    return this.memory.take(`${this.reader} ${this.requests++}`, words);
  }

  /** Words until the step's end. */
  lend(words: number): number {
    const at = this.lentFrom + this.lent;
    this.lent += Math.ceil(words / UNIT) * UNIT;
    this.most = Math.max(this.most, this.lent);
    return at;
  }

  /** From here on what was lent may be lent again; what is kept is kept for `reader`. */
  nextStep(reader: string): void {
    this.lent = 0;
    this.requests = 0;
    this.reader = reader;
  }

  /** After a first walk over all steps, which has found out how much they keep: what is lent lies behind that. */
  settle(): void {
    this.lentFrom = this.from + this.memory.size;
  }

  /** All words, kept and lent. */
  get words(): number {
    return this.memory.size + this.most;
  }
}
