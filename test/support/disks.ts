import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const run = (...[command, ...args]: string[]) => spawnSync(command, args).status === 0;

/** Folders with a life of their own: a full disk, a file mounted by itself. */
export class Disks {
  readonly folder = mkdtempSync(join(tmpdir(), 'biphase-disks-'));
  private readonly mounts: string[] = [];
  private names = 0;

  /** A folder that is an empty disk of so many KiB; undefined where this user may not mount. */
  small(kib: number): string | undefined {
    const folder = this.fresh();
    mkdirSync(folder);
    return this.mount(folder, '-t', 'tmpfs', '-o', `size=${kib}k`, 'none', folder);
  }

  /** Mounts a file over a new one, as containers do; the new one's path. */
  bound(source: string): string | undefined {
    const file = this.fresh();
    writeFileSync(file, '');
    return this.mount(file, '--bind', source, file);
  }

  /** Whether this user may mount at all; says so where not. */
  static mountable(): boolean {
    const disks = new Disks();
    const may = disks.small(64) !== undefined;
    disks.remove();
    if (!may) console.log('not tested: full disks and mounted files (this user may not mount)');
    return may;
  }

  /** A path that nothing has yet. */
  fresh(): string {
    return join(this.folder, `${this.names++}`);
  }

  remove(): void {
    for (const path of this.mounts.reverse()) run('umount', path);
    rmSync(this.folder, { recursive: true });
  }

  private mount(path: string, ...args: string[]): string | undefined {
    if (process.platform !== 'linux' || !run('mount', ...args)) return undefined;
    this.mounts.push(path);
    return path;
  }
}

/** Does something as a user without rights of its own, also where the tests run as root. */
export async function asNobody<T>(act: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return act();
  process.setegid!(65534);
  process.seteuid!(65534);
  try {
    return await act();
  } finally {
    process.seteuid!(0);
    process.setegid!(0);
  }
}
