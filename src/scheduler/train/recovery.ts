/** How a training got over something that broke. */
export interface Recovery {
  /** What broke: 'device_lost', 'worker_lost' or 'out_of_memory', and the error's words. */
  readonly code: string;
  /** The error's words. */
  readonly message: string;
  /** Backends it ran on before and after. */
  readonly from: string;
  /** The backend it goes on on. */
  readonly to: string;
  /** Steps made when it broke, and how many of them were made again from the newest snapshot. */
  readonly step: number;
  /** Steps made again from the newest snapshot. */
  readonly replayedSteps: number;
  /** Times it took: more than one where something broke during the recovery. */
  readonly attempts: number;
  /** Time it took, in ms. */
  readonly ms: number;
}

/** How a training gets over a lost backend. */
export interface RecoveryOptions {
  /** Steps between two snapshots; if not given, as few as cost less than 2 % of the steps' measured time. */
  readonly everySteps?: number;
  /** Told after each recovery; awaited where it is asynchronous. */
  readonly onRecovery?: (recovery: Recovery) => void;
}
