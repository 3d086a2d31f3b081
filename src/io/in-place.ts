import type { Place } from './place.ts';
import { type System, system } from './system.ts';

type FileHandle = Awaited<ReturnType<System['fs']['promises']['open']>>;

/** How often to look whether somebody has come to read a pipe. */
const LOOK_MS = 50;

/**
 * Writes other bytes into a file that can't be replaced. What is beyond its old end comes first: that is where room may
 * lack, and then nothing has changed. `state.damaged` says whether it has, where this throws.
 */
export async function overwrite(
  { target, stats }: Place,
  bytes: Uint8Array,
  state: { damaged: boolean },
): Promise<void> {
  const { fs } = await system();
  const file = await fs.promises.open(target, fs.constants.O_WRONLY);
  const old = Number(stats!.size);
  try {
    try {
      await writeAt(file, bytes.subarray(old), old);
    } catch (error) {
      await file.truncate(old);
      throw error;
    }
    state.damaged = true;
    await writeAt(file, bytes.subarray(0, old), 0);
    await file.truncate(bytes.length);
    await file.sync();
    state.damaged = false;
  } finally {
    await file.close();
  }
}

/** Writes into a pipe or a device, or after what this process has printed. */
export async function pour({ kind, target, stats }: Place, bytes: Uint8Array): Promise<void> {
  if (kind === 'stdout')
    return new Promise((resolve, reject) => {
      process.stdout.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  const { fs } = await system();
  const reader = isPipe(stats!.mode) ? await waitForReader(target) : undefined;
  const file = await fs.promises.open(target, fs.constants.O_WRONLY);
  await reader?.close();
  try {
    await file.writeFile(bytes);
  } finally {
    await file.close();
  }
}

/** Opening a pipe that nobody reads would hold a thread, and the process could not even be ended. */
async function waitForReader(target: string): Promise<FileHandle> {
  const { fs } = await system();
  for (;;) {
    try {
      return await fs.promises.open(target, fs.constants.O_WRONLY | fs.constants.O_NONBLOCK);
    } catch (error) {
      if ((error as { code?: string }).code !== 'ENXIO') throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

const [TYPE, PIPE] = [0o170000n, 0o010000n];
const isPipe = (mode: bigint) => (mode & TYPE) === PIPE;

async function writeAt(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at, position + at);
    at += bytesWritten;
  }
}
