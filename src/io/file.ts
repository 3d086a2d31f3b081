import { BiphaseError, fail } from '../core/errors.ts';
import { overwrite, pour } from './in-place.ts';
import { type Place, placeOf } from './place.ts';
import { reasonOf } from './reasons.ts';
import { system } from './system.ts';
import { createBeside, fill, inherit, keep as keepBeside, remove, rename, writeKept } from './temporary.ts';

/** A file's bytes; undefined where there is none. Throws 'io_failed' with the reason. */
export async function readIfThere(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const { fs } = await system();
  try {
    return new Uint8Array(await fs.promises.readFile(path));
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return undefined;
    return fail('io_failed', `could not read ${path}: ${reasonOf(error)}`, { cause: error });
  }
}

export interface WriteOptions {
  /** Where the path can't be written, keep the bytes in a folder for temporary files and name it; on by default. */
  readonly keep?: boolean;
}

/** How far a write has come, for the message when it goes no further. */
interface Attempt {
  /** Where all the bytes are, if not where they should be. */
  kept?: string;
  /** There was a file before. */
  existed: boolean;
  /** It may have been changed. */
  damaged: boolean;
}

/**
 * Writes a file so that at every moment its path leads to all of the old bytes or all of the new ones, also when the
 * process is killed or the power fails: into a new file beside it, synced, renamed over it, and the folder synced. So of
 * several writers the last one's file stands, whole. Links are followed and stay; a file that is replaced hands on its
 * owner and rights; pipes and devices are written as they stand, and so are files that can't be replaced (in a folder
 * that may not be written, or mounted by themselves).
 *
 * Throws 'io_failed' with the reason (no room, no right to write); the message says where the bytes are instead.
 */
export async function writeWhole(
  path: string,
  bytes: Uint8Array,
  { keep = true }: WriteOptions = {},
): Promise<void> {
  const attempt: Attempt = { existed: false, damaged: false };
  try {
    await still(async () => write(await placeOf(path), bytes, attempt));
  } catch (error) {
    if (error instanceof BiphaseError) throw error;
    if (keep) attempt.kept ??= await keepElsewhere(path, bytes);
    else if (attempt.kept) await remove(attempt.kept);
    const { kept, existed, damaged } = attempt;
    const told = [
      `could not write ${path}: ${reasonOf(error)}`,
      ...(keep ? [kept ? `the bytes are in ${kept}` : 'nor was there room for them anywhere else'] : []),
      ...(existed ? [`what was there before is ${damaged ? 'damaged' : 'as it was'}`] : []),
    ];
    fail('io_failed', told.join('; '), { cause: error });
  }
}

/**
 * For before the work: throws 'io_failed' where writeWhole() could not write. It tries, since rights alone do not tell
 * (quotas, disks that can only be read, lists of rights), and leaves all as it was.
 */
export async function checkWritable(path: string): Promise<Place> {
  try {
    return await still(async () => {
      const place = await placeOf(path);
      if (place.kind === 'file') await checkUnprotected(place.target);
      if (place.kind !== 'new') return place;
      const { path: own, file } = await createBeside(place.target, 0o600);
      await file.close();
      await remove(own);
      return place;
    });
  } catch (error) {
    if (error instanceof BiphaseError) throw error;
    return fail('io_failed', `could not write ${path}: ${reasonOf(error)}`, { cause: error });
  }
}

/** How often a file may go away between two looks at it. */
const MOST_TRIES = 5;

/** Does it again where the file was there at the first look and then not: another writer has done with it. */
async function still<T>(act: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await act();
    } catch (error) {
      if ((error as { code?: string }).code !== 'ENOENT' || tries === MOST_TRIES) throw error;
    }
  }
}

/** A file that is protected is not replaced behind its protection, though its folder would allow it. */
async function checkUnprotected(target: string): Promise<void> {
  const { fs } = await system();
  await (await fs.promises.open(target, fs.constants.O_WRONLY)).close();
}

async function write(place: Place, bytes: Uint8Array, attempt: Attempt): Promise<void> {
  if (place.kind === 'stream' || place.kind === 'stdout') return pour(place, bytes);
  attempt.existed = place.kind === 'file';
  if (place.stats) await checkUnprotected(place.target);
  const temporary = await createBeside(place.target, place.stats ? 0o600 : 0o666).catch((error) => {
    // The folder takes no new file, but the old one may take other bytes.
    if (!place.stats) throw error;
  });
  if (!temporary) return overwrite(place, bytes, attempt);
  if (place.stats) await inherit(temporary, place.stats);
  await fill(temporary, bytes);
  try {
    await rename(temporary.path, place.target);
  } catch (error) {
    try {
      if (!place.stats) throw error;
      await overwrite(place, bytes, attempt);
    } catch (last) {
      attempt.kept = await keepBeside(temporary.path, place.target);
      throw last;
    }
    return remove(temporary.path);
  }
  await syncFolder(place.target);
}

/** All the bytes in the first folder that takes them; undefined where none does. */
async function keepElsewhere(path: string, bytes: Uint8Array): Promise<string | undefined> {
  const { os, path: paths } = await system();
  for (const folder of new Set([os.tmpdir(), process.cwd(), os.homedir()])) {
    try {
      return await writeKept(paths.resolve(folder), path, bytes);
    } catch {}
  }
  return undefined;
}

/** Makes the renaming last. Some systems (Windows) can't open a folder: there the file system sees to it. */
async function syncFolder(target: string): Promise<void> {
  const { fs, path: paths } = await system();
  try {
    const folder = await fs.promises.open(paths.dirname(target), 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch {}
}
