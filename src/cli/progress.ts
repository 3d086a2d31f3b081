import { Presets, SingleBar } from 'cli-progress';
import type { StepReport } from '../node.ts';

/** Tells how training goes: a bar on a terminal, a line now and then elsewhere. */
export interface Progress {
  step(report: StepReport): void;
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
  const begin = performance.now();
  const rate = (done: number) => (done * batchSize) / ((performance.now() - begin) / 1000);
  let smooth = 0;
  const follow = (loss: number) => {
    smooth = smooth === 0 ? loss : 0.95 * smooth + 0.05 * loss;
    return smooth;
  };
  if (!stream.isTTY) {
    return {
      step({ done, steps, loss, epoch }) {
        follow(loss);
        if (done !== steps && Math.floor((done * LINES) / steps) === Math.floor(((done - 1) * LINES) / steps))
          return;
        const speed = Math.round(rate(done));
        const left = (((steps - done) * batchSize) / speed).toFixed(0);
        stream.write(
          `  ${label}: step ${done} of ${steps}, epoch ${epoch}, loss ${smooth.toFixed(4)}, ${speed} samples/s, ${left} s left\n`,
        );
      },
      done: () => undefined,
    };
  }
  const bar = new SingleBar(
    {
      stream,
      format: `  ${label} {bar} {percentage} %  epoch {epoch}  loss {loss}  {speed} img/s  {eta_formatted} left`,
      // All of it fits 80 columns.
      barsize: 14,
      hideCursor: true,
      etaBuffer: 100,
    },
    Presets.shades_classic,
  );
  let started = false;
  return {
    step({ done, steps, loss, epoch }) {
      const values = { epoch, loss: follow(loss).toFixed(4), speed: Math.round(rate(done)) };
      if (!started) bar.start(steps, done, values);
      else bar.update(done, values);
      started = true;
    },
    done: () => bar.stop(),
  };
}
