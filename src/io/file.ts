import { fail } from '../core/errors.ts';

/** Files, where the runtime has them (Node, Deno, Bun). */
function files() {
  const fs = typeof process === 'undefined' ? undefined : process.getBuiltinModule?.('node:fs');
  return fs?.promises ?? fail('unavailable', 'this runtime has no files; keep the bytes some other way');
}

/** A file's bytes; undefined where there is none. Throws 'io_failed' with the reason. */
export async function readIfThere(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return new Uint8Array(await files().readFile(path));
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return undefined;
    return fail('io_failed', `could not read ${path}: ${reasonOf(error)}`, { cause: error });
  }
}

/**
 * Writes a file so that at every moment its path leads to all of the old bytes or all of the new ones, also when the
 * process is killed or the power fails: into `<path>.tmp` beside it, synced, renamed, and the folder synced. One writer per
 * path. Throws 'io_failed' with the reason (no room, no right to write), the old file as it was.
 */
export async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const fs = files();
  const temporary = `${path}.tmp`;
  try {
    const file = await fs.open(temporary, 'w');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await fs.rename(temporary, path);
  } catch (error) {
    // Half a file takes room for nothing. It may not be there, or not be ours to remove.
    await fs.unlink(temporary).catch(() => undefined);
    fail('io_failed', `could not write ${path}: ${reasonOf(error)}; what was there before is as it was`, {
      cause: error,
    });
  }
  await syncFolder(path);
}

/** Makes the renaming last. Some systems (Windows) can't open a folder: there the file system sees to it. */
async function syncFolder(path: string): Promise<void> {
  const { dirname } = process.getBuiltinModule('node:path');
  try {
    const folder = await files().open(dirname(path), 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch {}
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
