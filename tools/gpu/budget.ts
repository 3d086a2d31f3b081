/** Time that a run may take; what no longer fits is left out and named. */
export class Budget {
  private readonly end: number;
  private readonly skipped: string[] = [];

  constructor(seconds: number) {
    this.end = performance.now() + seconds * 1000;
  }

  /** In seconds. */
  get left(): number {
    return (this.end - performance.now()) / 1000;
  }

  /** What was left out, in order. */
  get missing(): readonly string[] {
    return this.skipped;
  }

  /** Whether there is time for something that takes about this many seconds; if not, its name is kept. */
  fits(name: string, seconds: number): boolean {
    if (this.left >= seconds) return true;
    this.skipped.push(name);
    return false;
  }
}
