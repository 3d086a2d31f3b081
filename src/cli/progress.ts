import { Presets, SingleBar } from 'cli-progress';
import type { StepReport } from '../node.ts';

/** Tells how training goes: a bar on a terminal, a line now and then elsewhere. */
export interface Progress {
  /** Takes a step, and gives the loss that is told: the mean over the steps of this epoch so far. */
  step(report: StepReport): number;
  done(): void;
}

export interface ProgressOptions {
  readonly batchSize: number;
  readonly label: string;
  readonly stream?: NodeJS.WriteStream;
}

/** Lines for each tenth of the way, where there is no terminal to draw on. */
const LINES = 10;

export function trainingProgress({ batchSize, label, stream = process.stdout }: ProgressOptions): Progress {
  const lossOf = epochMean();
  const rateOf = stepRate(batchSize);
  if (!stream.isTTY) {
    return {
      step(report) {
        const { done, steps, epoch } = report;
        const loss = lossOf(report);
        const rate = rateOf(done);
        if (done !== steps && Math.floor((done * LINES) / steps) === Math.floor(((done - 1) * LINES) / steps))
          return loss;
        const left = rate && (((steps - done) * batchSize) / rate).toFixed(0);
        const speed = rate ? `, ${Math.round(rate)} samples/s, ${left} s left` : '';
        stream.write(
          `  ${label}: step ${done} of ${steps}, epoch ${epoch}, loss ${loss.toFixed(4)}${speed}\n`,
        );
        return loss;
      },
      done: () => undefined,
    };
  }
  const bar = new SingleBar(
    {
      stream,
      format: `  ${label} {bar} {percentage} %  epoch {epoch}  loss {loss}  {speed} samples/s  {eta_formatted} left`,
      // All of it fits 80 columns.
      barsize: 10,
      hideCursor: true,
      etaBuffer: 100,
    },
    Presets.shades_classic,
  );
  let started = false;
  return {
    step(report) {
      const { done, steps, epoch } = report;
      const loss = lossOf(report);
      const values = { epoch, loss: loss.toFixed(4), speed: Math.round(rateOf(done) ?? 0) };
      if (!started) bar.start(steps, done, values);
      else bar.update(done, values);
      started = true;
      return loss;
    },
    done: () => bar.stop(),
  };
}

/** The mean loss over the steps of an epoch so far. */
function epochMean(): (report: StepReport) => number {
  let [current, sum, count] = [0, 0, 0];
  return ({ epoch, loss }) => {
    if (epoch !== current) [current, sum, count] = [epoch, 0, 0];
    sum += loss;
    count++;
    return sum / count;
  };
}

/** Samples a second since the first step was made, which also compiles; undefined until there is a second one. */
function stepRate(batchSize: number): (done: number) => number | undefined {
  let first: { readonly done: number; readonly at: number } | undefined;
  return (done) => {
    const at = performance.now();
    first ??= { done, at };
    const seconds = (at - first.at) / 1000;
    return done > first.done && seconds > 0 ? ((done - first.done) * batchSize) / seconds : undefined;
  };
}
