import type { Program } from '../../backend/backend.ts';
import { sizeOf } from '../../core/shape.ts';
import type { Plan } from '../../graph/plan.ts';
import { inferSlots } from '../../plans/infer.ts';

/** One model compiled for a few batch sizes, so that a batch of any size up to the largest runs in ready programs. */
export class BatchPrograms {
  readonly inputSize: number;
  readonly outputSize: number;
  readonly inputShape: readonly number[];
  readonly outputShape: readonly number[];
  /** The plan for each size. */
  readonly plans: ReadonlyMap<number, Plan>;
  private readonly sized: readonly Sized[];
  /** For each number of rows, the program to run first: the start of the way through all rows that took least time. */
  private readonly first: readonly Sized[];

  private constructor(sized: readonly Sized[]) {
    const { input, output } = sized[0].program.plan.slots;
    this.inputShape = input.shape.slice(1);
    this.outputShape = output.shape.slice(1);
    this.inputSize = sizeOf(this.inputShape);
    this.outputSize = sizeOf(this.outputShape);
    this.sized = sized;
    this.plans = new Map(sized.map(({ size, program }) => [size, program.plan]));
    this.first = cheapestCover(sized);
  }

  /** Compiles `planFor` each size and times each program on zeros. */
  static async compile(
    sizes: readonly number[],
    planFor: (batch: number) => Plan,
    compile: (plan: Plan) => Promise<Program>,
  ): Promise<BatchPrograms> {
    const sized: Sized[] = [];
    try {
      for (const size of sizes) {
        const program = await compile(planFor(size));
        const { input, output } = program.plan.slots;
        const [samples, results] = [sizeOf(input.shape), sizeOf(output.shape)];
        sized.push({
          ...{ size, program, ms: Number.POSITIVE_INFINITY },
          ...{ samples: new Float32Array(samples), results: new Float32Array(results) },
        });
      }
      for (const s of sized) s.ms = await timeOf(s);
    } catch (error) {
      for (const { program } of sized) program.dispose();
      throw error;
    }
    return new BatchPrograms(sized);
  }

  get sizes(): readonly number[] {
    return this.sized.map((s) => s.size);
  }

  /** Bytes of all arenas: every program has the weights in the form that its kernels read. */
  get arenaBytes(): number {
    return this.sized.reduce((sum, { program }) => sum + program.plan.arenaBytes, 0);
  }

  /**
   * Runs `rows` samples, which `fill` copies into (at most size x inputSize values, from row `from` on), and hands each
   * part of the results (rows x outputSize, valid until the next part) to `take`. Returns the sizes of the programs run.
   */
  async run(
    rows: number,
    fill: (into: Float32Array, from: number, count: number) => void,
    take: (results: Float32Array, from: number, count: number) => void,
  ): Promise<number[]> {
    const ran: number[] = [];
    for (let at = 0; at < rows; ) {
      const s = this.first[rows - at];
      const count = Math.min(s.size, rows - at);
      fill(s.samples, at, count);
      // Values of an earlier batch don't stay behind in the rows that are not used.
      if (count < s.size) s.samples.fill(0, count * this.inputSize);
      await runOnce(s);
      take(s.results, at, count);
      ran.push(s.size);
      at += count;
    }
    return ran;
  }

  dispose(): void {
    for (const { program } of this.sized) program.dispose();
  }
}

interface Sized {
  readonly size: number;
  readonly program: Program;
  readonly samples: Float32Array;
  readonly results: Float32Array;
  ms: number;
}

async function runOnce({ program, samples, results }: Sized): Promise<void> {
  const { slots } = program.plan;
  program.write(slots[inferSlots.input], samples);
  program.run();
  await program.read(slots[inferSlots.output], results);
}

/** In ms. Where a coarse clock calls everything 0, this makes fewer runs the cheaper way. */
const LEAST_MS = 1e-3;

/** The least of a few runs, in ms. */
async function timeOf(sized: Sized): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 4; i++) {
    const start = performance.now();
    await runOnce(sized);
    least = Math.min(least, performance.now() - start);
  }
  return Math.max(least, LEAST_MS);
}

/** For each number of rows up to the largest size: which size to run first, so that the sum of times is least. */
function cheapestCover(sized: readonly Sized[]): Sized[] {
  const largest = Math.max(...sized.map((s) => s.size));
  const best: { ms: number; first: Sized }[] = [];
  for (let rows = 1; rows <= largest; rows++) {
    const ways = sized.map((first) => ({ first, ms: first.ms + (best[rows - first.size]?.ms ?? 0) }));
    best[rows] = ways.reduce((a, b) => (b.ms < a.ms ? b : a));
  }
  return best.map((b) => b?.first);
}
