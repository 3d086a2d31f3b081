/**
 * Lets other work of this thread run (timers, input, messages) when the last chance was a while ago,
 * so that long synchronous computations don't freeze a page or make Ctrl-C wait.
 */
export class Turns {
  private last = performance.now();

  async breathe(): Promise<void> {
    if (performance.now() - this.last < SLICE_MS) return;
    await nextTurn();
    this.last = performance.now();
  }
}

/** Under one frame at 60 Hz. */
const SLICE_MS = 12;

/** Settles after other work of this thread had its turn. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => macrotask(resolve));

/** setTimeout is held back to 4 ms in browsers when nested; a message is not. */
function macrotask(run: () => void): void {
  if (typeof setImmediate === 'function') {
    setImmediate(run);
    return;
  }
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    run();
  };
  port2.postMessage(0);
}
