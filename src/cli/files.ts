import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { checkPlaces, type NamedPaths } from '../io/places.ts';
import { reasonOf } from '../io/reasons.ts';
import { BiphaseError } from '../node.ts';
import { resultsToStderr } from './print.ts';

/** A file's bytes, decompressed where it is gzip. Throws 'io_failed' with the path and the reason. */
export async function read(path: string): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw new BiphaseError('io_failed', `could not read ${path}: ${reasonOf(error)}`, { cause: error });
  }
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (error) {
    throw new BiphaseError('invalid_data', `${path} is not sound gzip: ${reasonOf(error)}`, { cause: error });
  }
}

/**
 * For before the work: throws where files that a command writes are one, or one that it reads ('invalid_argument'), or could
 * not be written ('io_failed'). Names are what the user calls them: an option or an argument.
 */
export async function checkFiles(reads: NamedPaths, writes: NamedPaths): Promise<void> {
  const places = await checkPlaces(reads, writes);
  if (places.some(({ kind }) => kind === 'stdout')) resultsToStderr();
}
