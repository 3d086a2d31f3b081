import { RESERVED } from './constants';
import { MATMUL_SCRATCH } from './matmul/matmul';

export { run, serve } from './tape';

/** Version of the tape's records; a host that wrote its tape for another one must not run it. */
export function abi(): u32 {
  return 2;
}

/** Bytes of scratch memory that each thread needs beside the arena. */
export function scratchBytes(): u32 {
  return <u32>MATMUL_SCRATCH;
}

/** Bytes at the start of the memory that belong to the module. */
export function reservedBytes(): u32 {
  return <u32>RESERVED;
}
