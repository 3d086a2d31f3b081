/** One span of Chrome's trace-event format ('complete' event): times in microseconds. */
export interface TraceEvent {
  /** What was done. */
  readonly name: string;
  /** Its category. */
  readonly cat: string;
  /** 'X' is a span, 'M' names a row. */
  readonly ph: 'X' | 'M';
  /** When it began, in microseconds. */
  readonly ts: number;
  /** How long it took, in microseconds. */
  readonly dur?: number;
  /** Process: always the same. */
  readonly pid: number;
  /** The row. */
  readonly tid: number;
  /** More about it, the wait for its turn among it. */
  readonly args?: Readonly<Record<string, unknown>>;
}

/** Rows of the trace, one for each kind of turn. */
const rows = { 'training step': 1, batch: 2, upkeep: 3 } as const;
export type TurnName = keyof typeof rows;

/** Events that are kept at most: about a hundred bytes each. */
const MOST_EVENTS = 500_000;

/** What an engine did while this was on: every training step, batch of a predictor, snapshot and checkpoint. */
export class Profile {
  /** Turns that were not kept because there were too many. */
  dropped = 0;
  private readonly began = performance.now();
  private readonly events: TraceEvent[] = [];
  private readonly onStop: () => void;

  constructor(onStop: () => void) {
    this.onStop = onStop;
  }

  /** Notes a turn: when it was asked for, began and ended, by performance.now(). */
  turn(name: TurnName, asked: number, start: number, end: number): void {
    if (this.events.length >= MOST_EVENTS) {
      this.dropped++;
      return;
    }
    this.events.push({
      ...{ name, cat: 'turn', ph: 'X', pid: 1, tid: rows[name] },
      ts: (start - this.began) * 1000,
      dur: (end - start) * 1000,
      args: { waited_ms: start - asked },
    });
  }

  /** Ends the recording. The result, as JSON text, opens in Perfetto (ui.perfetto.dev) and chrome://tracing. */
  stop(): { traceEvents: TraceEvent[]; displayTimeUnit: 'ms' } {
    this.onStop();
    const named = (name: string, tid: number, text: string): TraceEvent => ({
      ...{ name, cat: '__metadata', ph: 'M', ts: 0, pid: 1, tid },
      args: { name: text },
    });
    const names = Object.entries(rows).map(([name, tid]) => named('thread_name', tid, name));
    return {
      traceEvents: [named('process_name', 0, 'biphase'), ...names, ...this.events],
      displayTimeUnit: 'ms',
    };
  }
}
