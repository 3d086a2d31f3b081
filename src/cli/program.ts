import process from 'node:process';
import { removeTemporaries } from '../io/temporary.ts';
import { endingOf } from './errors.ts';
import { failed, say } from './print.ts';
import { endAtSignals } from './signals.ts';

/**
 * Runs a program to its end. Whatever goes wrong in it, also outside of `act`, becomes one line on stderr and an exit code (see
 * endingOf; with BIPHASE_DEBUG=1 the stack follows); Ctrl-C and SIGTERM end it with 130 and 143, unless a command listens to
 * them itself; files that are half written then are removed.
 */
export async function asProgram(name: string, act: () => Promise<unknown>): Promise<void> {
  const tell = (error: unknown) => {
    const { line, code } = endingOf(error);
    say(`${name}: ${line}`);
    if (process.env.BIPHASE_DEBUG) say(error instanceof Error ? error.stack : undefined);
    process.exitCode = code;
  };
  process.once('exit', removeTemporaries);
  endAtSignals();
  process.on('uncaughtException', (error) => {
    tell(error);
    process.exit();
  });
  try {
    await act();
  } catch (error) {
    tell(error);
  }
  // Results that were printed into a full disk are not there.
  process.once('beforeExit', () => {
    const error = failed();
    if (error && !process.exitCode) tell(error);
  });
}
