import { system } from './system.ts';

/** What the system knows of a file, of what is used here. */
export interface FileStats {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly mode: bigint;
  readonly uid: bigint;
  readonly gid: bigint;
  readonly size: bigint;
  isCharacterDevice(): boolean;
}

/** Where a path leads. */
export interface Place {
  /** As it was given. */
  readonly path: string;
  /** The file itself, behind all links; or the one to be made. */
  readonly target: string;
  /**
   * 'new': nothing is there yet. 'file': a file, to be replaced. 'stream': a pipe or a device, to be written as it stands.
   * 'stdout': what this process prints to (a path such as /dev/stdout, or the file that its output was sent to).
   */
  readonly kind: 'new' | 'file' | 'stream' | 'stdout';
  /** Of the target; undefined where nothing is there. */
  readonly stats: FileStats | undefined;
  /** The same for all names of one file: links, hard links, spellings. */
  readonly identity: string;
}

/** Links that lead to a file that is yet to be made; as many as systems follow. */
const MOST_LINKS = 40;

/** Finds out where a path leads when something is to be written there. Throws the system's error where it can't lead to a file. */
export async function placeOf(path: string): Promise<Place> {
  const { fs, path: paths } = await system();
  if (path === '') throw new Error('its name is empty');
  if (path.endsWith('/') || path.endsWith(paths.sep)) throw systemError('EISDIR');
  const stats = await bigStat(path);
  if (!stats) {
    const target = await firstMissing(path);
    const folder = paths.dirname(target);
    return {
      path,
      target,
      kind: 'new',
      stats,
      identity: await identityOfNew(folder, paths.basename(target)),
    };
  }
  if (stats.isDirectory()) throw systemError('EISDIR');
  const identity = identityOf(stats);
  if (!stats.isCharacterDevice() && identity === (await identityOfStream(1)))
    return { path, target: path, kind: 'stdout', stats, identity };
  if (stats.isFile()) {
    // A file that has lost its name can still be reached through /proc, and written as it stands.
    const target = await fs.promises.realpath(path).catch(() => undefined);
    return target === undefined
      ? { path, target: path, kind: 'stream', stats, identity }
      : { path, target, kind: 'file', stats, identity };
  }
  if (stats.isFIFO() || stats.isCharacterDevice())
    return { path, target: path, kind: 'stream', stats, identity };
  throw new Error(`it is a ${stats.isSocket() ? 'socket' : 'whole disk'}, not a file`);
}

/** What a path leads to; undefined where nothing is there. Throws the system's error for all else. */
export async function bigStat(path: string) {
  const { fs } = await system();
  try {
    return await fs.promises.stat(path, { bigint: true });
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Which file something is, by its device and number there. */
export const identityOf = ({ dev, ino }: Pick<FileStats, 'dev' | 'ino'>): string => `${dev}:${ino}`;

/** Which file one of the process's own streams goes to (1: stdout, 2: stderr); undefined where it is closed. */
export async function identityOfStream(descriptor: 1 | 2): Promise<string | undefined> {
  const { fs } = await system();
  try {
    const stats = fs.fstatSync(descriptor, { bigint: true });
    return stats.isCharacterDevice() ? undefined : identityOf(stats);
  } catch {
    return undefined;
  }
}

/** Systems whose files are the same in capitals, as they come. */
const FOLDED = ['darwin', 'win32'];

async function identityOfNew(folder: string, name: string): Promise<string> {
  const stats = await bigStat(folder);
  if (!stats) throw new Error(`there is no folder ${folder}; make it first`);
  if (!stats.isDirectory()) throw systemError('ENOTDIR');
  const spelled = FOLDED.includes(process.platform) ? name.normalize('NFC').toLowerCase() : name;
  return `${identityOf(stats)}/${spelled}`;
}

/** The path, or where its links lead: a link may name a file that is yet to be made. */
async function firstMissing(path: string): Promise<string> {
  const { fs, path: paths } = await system();
  let at = paths.resolve(path);
  for (let links = 0; links < MOST_LINKS; links++) {
    const next = await fs.promises.readlink(at).catch(() => undefined);
    if (next === undefined) return at;
    // A folder on the way may be a link itself, and '..' is meant from where it leads.
    at = paths.resolve(await fs.promises.realpath(paths.dirname(at)), next);
  }
  throw systemError('ELOOP');
}

const systemError = (code: string): Error => Object.assign(new Error(code), { code });
