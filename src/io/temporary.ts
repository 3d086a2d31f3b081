import type { FileStats } from './place.ts';
import { type System, system, systemNow } from './system.ts';

type FileHandle = Awaited<ReturnType<System['fs']['promises']['open']>>;

/** A file that is being written under a name nobody else has. */
export interface Temporary {
  readonly path: string;
  readonly file: FileHandle;
}

/** Temporary files of this process that are not yet anybody's. */
const pending = new Set<string>();
/** Files beside which this process has looked for what killed writers left. */
const swept = new Set<string>();
/** What nobody has written to for so long is nobody's, if its process is gone. */
const ABANDONED_MS = 600_000;

/** Letters of a target's name that are kept in the temporary one: names have 255 bytes at most. */
const LETTERS = 40;
const own = () => `${process.pid}-${Math.random().toString(16).slice(2, 14).padEnd(12, '0')}`;
const keptName = (name: string) => `kept-${own()}-${name.slice(-LETTERS)}`;

/** A new file beside a target. `mode`: who may read it from the start. */
export async function createBeside(target: string, mode: number): Promise<Temporary> {
  const { path: paths } = await system();
  const [folder, name] = [paths.dirname(target), paths.basename(target).slice(0, LETTERS)];
  await sweep(target, folder, name);
  return create(() => paths.join(folder, `${name}.${own()}.tmp`), mode);
}

/** All the bytes in a new file in another folder, under a name that stays; its path. */
export async function writeKept(folder: string, target: string, bytes: Uint8Array): Promise<string> {
  const { path: paths } = await system();
  const file = await create(() => paths.join(folder, keptName(paths.basename(target))), 0o600);
  await fill(file, bytes);
  pending.delete(file.path);
  return file.path;
}

async function create(pathFor: () => string, mode: number): Promise<Temporary> {
  const { fs } = await system();
  for (;;) {
    const path = pathFor();
    try {
      const file = await fs.promises.open(path, 'wx', mode);
      pending.add(path);
      return { path, file };
    } catch (error) {
      if ((error as { code?: string }).code !== 'EEXIST') throw error;
    }
  }
}

/** Writes all of it, to the disk itself, and closes; where that fails the file is removed. */
export async function fill({ path, file }: Temporary, bytes: Uint8Array): Promise<void> {
  try {
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    await remove(path);
    throw error;
  }
}

/** Gives the file the owner, the group and the rights of another, as far as this user may. */
export async function inherit({ file }: Temporary, { uid, gid, mode }: FileStats): Promise<void> {
  let rights = Number(mode) & 0o777;
  const own = await file.stat({ bigint: true });
  if (own.uid !== uid || own.gid !== gid)
    await file
      .chown(Number(uid), Number(gid))
      .catch(() => file.chown(-1, Number(gid)).catch(() => undefined));
  // Rights that were another group's are not this one's: it gets what all have.
  if ((await file.stat({ bigint: true })).gid !== gid) rights = (rights & 0o707) | ((rights & 0o007) << 3);
  // Some file systems know no rights.
  await file.chmod(rights).catch(() => undefined);
}

/** Gives the file the name that it is for. */
export async function rename(path: string, target: string): Promise<void> {
  const { fs } = await system();
  await fs.promises.rename(path, target);
  pending.delete(path);
}

/** Gives the file a name that stays; where it is then. */
export async function keep(path: string, target: string): Promise<string> {
  const { path: paths } = await system();
  const kept = paths.join(paths.dirname(path), keptName(paths.basename(target)));
  pending.delete(path);
  return rename(path, kept).then(
    () => kept,
    () => path,
  );
}

/** Half a file takes room for nothing. It may not be there, or not be ours to remove. */
export async function remove(path: string): Promise<void> {
  const { fs } = await system();
  await fs.promises.unlink(path).catch(() => undefined);
  pending.delete(path);
}

/** Removes what this process has half written, at once: for who is about to end it. */
export function removeTemporaries(): void {
  for (const path of pending) {
    try {
      systemNow()?.fs.unlinkSync(path);
    } catch {}
  }
  pending.clear();
}

/** Removes what writers that were killed have left beside a target; once a process, since it lists the folder. */
async function sweep(target: string, folder: string, name: string): Promise<void> {
  if (swept.has(target)) return;
  swept.add(target);
  const { fs, path: paths } = await system();
  for (const entry of await fs.promises.readdir(folder).catch(() => [])) {
    const pid =
      entry.startsWith(`${name}.`) && /^(\d+)-[0-9a-f]{12}\.tmp$/.exec(entry.slice(name.length + 1))?.[1];
    if (!pid || isAlive(Number(pid))) continue;
    const path = paths.join(folder, entry);
    const stats = await fs.promises.lstat(path).catch(() => undefined);
    if (stats?.isFile() && Date.now() - stats.mtimeMs > ABANDONED_MS) await remove(path);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code !== 'ESRCH';
  }
}
