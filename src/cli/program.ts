import process from 'node:process';
import { removeTemporaries } from '../io/temporary.ts';
import { endingOf } from './errors.ts';
import { failed, say } from './print.ts';
import { endAtSignals } from './signals.ts';

/**
 * For the first line of a program. Whatever goes wrong in it becomes one line on stderr and an exit code (see endingOf; with
 * BIPHASE_DEBUG=1 the stack follows); Ctrl-C and SIGTERM end it with 130 and 143, unless it listens to them itself; files
 * that are half written then are removed. Returns what tells of an error and sets the exit code.
 */
export function guard(name: string): (error: unknown) => void {
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
  // Results that were printed into a full disk are not there.
  process.once('beforeExit', () => {
    const error = failed();
    if (error && !process.exitCode) tell(error);
  });
  return tell;
}

/** Runs a program to its end, guarded. */
export async function asProgram(name: string, act: () => Promise<unknown>): Promise<void> {
  const tell = guard(name);
  await act().catch(tell);
}
