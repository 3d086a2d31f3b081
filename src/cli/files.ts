import { constants } from 'node:fs';
import { access, readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { BiphaseError } from '../node.ts';

/** A file's bytes, decompressed where it is gzip. Throws 'io_failed' with the path and the reason. */
export async function read(path: string): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw new BiphaseError('io_failed', `could not read ${path}: ${reason(error)}`, { cause: error });
  }
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (error) {
    throw new BiphaseError('invalid_data', `${path} is not sound gzip: ${reason(error)}`, { cause: error });
  }
}

/** Throws 'io_failed' where a file could not be written there, before any work is done for it. */
export async function checkWritable(path: string): Promise<void> {
  try {
    const folder = dirname(resolve(path));
    await access(folder, constants.W_OK);
    const there = await stat(path).catch(() => undefined);
    if (there?.isDirectory()) throw new Error('it is a folder');
    if (there) await access(path, constants.W_OK);
  } catch (error) {
    throw new BiphaseError('io_failed', `could not write ${path}: ${reason(error)}`, { cause: error });
  }
}

const reason = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'there is no such file or folder';
  if (code === 'EACCES' || code === 'EROFS') return 'permission denied';
  if (code === 'EISDIR') return 'it is a folder';
  return message;
};
