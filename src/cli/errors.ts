import { reasonOf, systemCode } from '../io/reasons.ts';
import { BiphaseError } from '../node.ts';

/** How a program ends that something went wrong in: what it says, in one line, and its exit code. */
export interface Ending {
  readonly line: string;
  /** 2: the caller got something wrong, or can put it right; 1: something broke. */
  readonly code: 1 | 2;
}

const BROKEN_CODES = [
  'internal',
  'out_of_memory',
  'device_lost',
  'worker_lost',
  'not_finite',
  'disposed',
  'busy',
];
const BROKEN_SYSTEM = ['EIO', 'ENOMEM'];

/** What the runtime says when it gets no memory; there is no class for it. */
const NO_MEMORY =
  /Array buffer allocation failed|Invalid (typed )?array length|Invalid (array buffer|string) length|could not (allocate|reserve) memory|WebAssembly\.Memory|out of memory|larger than the maximum|Cannot create a string longer/i;

/** The one place that turns an error of any kind into words and an exit code. */
export function endingOf(error: unknown): Ending {
  const { line, code } = ending(error);
  return { line: line.replace(/\s*\n\s*/g, ' '), code };
}

function ending(error: unknown): Ending {
  // The first of several attempts says as much as all of them.
  if (error instanceof AggregateError && error.errors.length > 0) return ending(error.errors[0]);
  const system = systemCode(error);
  const code = system && BROKEN_SYSTEM.includes(system) ? 1 : 2;
  if (error instanceof BiphaseError)
    return { line: error.message, code: BROKEN_CODES.includes(error.code) ? 1 : code };
  if (!(error instanceof Error)) return { line: `something threw ${String(error)}`, code: 1 };
  if (system) return { line: ofSystem(error), code };
  if (
    NO_MEMORY.test(error.message) ||
    (error as NodeJS.ErrnoException).code === 'ERR_MEMORY_ALLOCATION_FAILED'
  )
    return {
      line: `out of memory (${error.message}); use less data, a smaller batch or a smaller model`,
      code: 1,
    };
  if (error instanceof SyntaxError && /JSON/.test(error.message))
    return { line: `not sound JSON: ${error.message}`, code: 2 };
  return {
    line: `internal error: ${error.name}: ${error.message}; please report it, with what BIPHASE_DEBUG=1 prints`,
    code: 1,
  };
}

interface SystemError extends NodeJS.ErrnoException {
  readonly dest?: string;
  readonly address?: string;
  readonly port?: number;
  readonly hostname?: string;
}

/** What happened, to which file or address, and what to do. */
function ofSystem(error: Error): string {
  const { code, syscall = '', path, dest, address, port, hostname } = error as SystemError;
  const at = port === undefined ? address : `${address ?? hostname ?? ''} port ${port}`.trim();
  switch (code) {
    case 'EADDRINUSE':
      return `${at} is in use; stop what listens there, or choose another port (0: any that is free)`;
    case 'EADDRNOTAVAIL':
      return `this machine has no address ${address ?? hostname}; 127.0.0.1 is this machine alone, 0.0.0.0 all its addresses`;
    case 'ENOTFOUND':
    case 'EAI_NONAME':
      return `no host is called ${hostname ?? address}`;
    case 'EAI_AGAIN':
      return `no name server says where ${hostname ?? address} is; is there a network?`;
    case 'ECONNREFUSED':
      return `nothing listens at ${at}`;
    case 'EACCES':
    case 'EPERM':
      if (syscall === 'listen' || syscall === 'bind')
        return `no right to listen at ${at}; ports from 1024 are free to all`;
  }
  const file = [path, dest].filter((name) => name !== undefined).join(' to ') || at;
  return `could not ${syscall || 'go on'}${file ? ` ${file}` : ''}: ${reasonOf(error)}`;
}
