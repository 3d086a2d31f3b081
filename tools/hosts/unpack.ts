/**
 * Unpacks parts of the npm package @sparticuz/chromium into a folder under .cache/, once.
 *
 * That package carries a whole headless Chromium and SwiftShader, a Vulkan driver that runs on the CPU: so
 * WebGPU can be tested on any Linux x64 machine with nothing but `npm install`.
 */
import { createReadStream, createWriteStream, existsSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createBrotliDecompress } from 'node:zlib';

export type Archive = 'swiftshader.tar.br' | 'al2023.tar.br' | 'fonts.tar.br' | 'chromium.br';

const cache = fileURLToPath(new URL('../../.cache/', import.meta.url));

/** The folder that holds the archives' files, or, in words, why there is none. */
export async function unpack(name: string, archives: Archive[]): Promise<{ folder: string } | string> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return `@sparticuz/chromium has files for Linux x64 only, and this is ${process.platform} ${process.arch}`;
  }
  let home: string;
  try {
    home = dirname(dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')));
  } catch {
    return 'the npm package @sparticuz/chromium is not installed';
  }
  const { version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
  const folder = join(cache, `${name}-${version}`);
  if (existsSync(folder)) return { folder };

  // Several processes may get here at once: each fills its own folder, and the rename lets one of them win.
  const own = `${folder}.${process.pid}.partial`;
  try {
    for (const archive of archives) await unpackOne(join(home, 'bin', archive), own);
    await rename(own, folder).catch((error) => {
      if (!existsSync(folder)) throw error;
    });
    return { folder };
  } catch (error) {
    return `${name} could not be unpacked: ${(error as Error).message}`;
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}

async function unpackOne(archive: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const name = basename(archive, '.br');
  // Imported here, so that a machine that has everything unpacked never loads it.
  const target = name.endsWith('.tar')
    ? (await import('tar-fs')).extract(folder)
    : createWriteStream(join(folder, name), { mode: 0o755 });
  await pipeline(createReadStream(archive), createBrotliDecompress(), target);
}
