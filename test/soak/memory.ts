import { collectGarbage } from '../support/garbage.ts';

/** Between two looks, in ms. */
const EVERY = 1000;
/** Memory may differ by this much after a while, as a share. */
const DRIFT = 0.05;
const MIB = 2 ** 20;
/** What the system's pages come and go by, in MiB, in a run of less than three minutes: the middle of a quarter is no mean there. */
const PAGES = { looks: 180_000 / EVERY, mib: 16 };

interface Look {
  /** Bytes that are reachable: the heap and all buffers, after garbage was collected. */
  readonly live: number;
  /** Bytes that the process has from the system. */
  readonly resident: number;
}

/** Looks at this process's memory once a second, without its garbage. */
export class MemoryWatch {
  private readonly looks: Look[] = [];
  private stopped = false;

  /** Until it is stopped. */
  async run(): Promise<void> {
    while (!this.stopped) {
      await new Promise((resolve) => setTimeout(resolve, EVERY));
      await collectGarbage();
      const { heapUsed, external, rss } = process.memoryUsage();
      this.looks.push({ live: heapUsed + external, resident: rss });
    }
  }

  stop(): void {
    this.stopped = true;
  }

  /**
   * The middle of an early and of the last part of the run, in MiB, and whether they are alike. The early part begins after a
   * minute, or a third of a run that is shorter than three: code is being compiled and caches fill before.
   */
  verdict() {
    const { looks } = this;
    const begin = Math.min(60_000 / EVERY, Math.floor(looks.length / 3));
    const part = Math.max(1, Math.floor((looks.length - begin) / 4));
    const middle = (of: keyof Look, from: number) =>
      looks
        .slice(from, from + part)
        .map((look) => look[of] / MIB)
        .sort((a, b) => a - b)[part >> 1];
    const rows = (['live', 'resident'] as const).map((of) => {
      const [early, late] = [middle(of, begin), middle(of, looks.length - part)];
      const coming = of === 'resident' && looks.length < PAGES.looks ? PAGES.mib : 0;
      return { of, early, late, flat: late <= early * (1 + DRIFT) + coming };
    });
    return { rows, flat: rows.every((row) => row.flat) };
  }
}
