/** A real headless Chromium for tests, from npm alone: no browser and no system library has to be installed. */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { fasterCompiles } from './software-gpu.ts';
import { unpack } from './unpack.ts';

const flags = [
  '--headless=shell',
  '--no-sandbox', // root in a container has no sandbox to offer
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
  `--${fasterCompiles}`,
  '--disable-background-networking',
  '--disable-quic',
  '--no-first-run',
];

/**
 * Starts Chromium with WebGPU on SwiftShader; close it when done. A string says why it can't start here.
 *
 * `navigator.gpu` is there on http://localhost, http://127.0.0.1 and file: pages. For threads (SharedArrayBuffer)
 * a page must come from a server that sends `Cross-Origin-Opener-Policy: same-origin` and
 * `Cross-Origin-Embedder-Policy: require-corp`. `extra` are more flags, e.g. `--js-flags=--wasm-revectorize`.
 */
export async function launchChromium(extra: string[] = []): Promise<Browser | string> {
  const unpacked = await unpack('chromium', [
    'swiftshader.tar.br', // Chromium looks for it beside its own binary
    'al2023.tar.br', // the few libraries it needs beyond glibc: NSS, NSPR, Expat
    'fonts.tar.br',
    'chromium.br',
  ]);
  if (typeof unpacked === 'string') return unpacked;
  const { folder } = unpacked;
  try {
    return await chromium.launch({
      executablePath: join(folder, 'chromium'),
      args: [...flags, ...extra],
      env: { ...process.env, LD_LIBRARY_PATH: join(folder, 'lib'), ...(await fontsFrom(folder)) },
    });
  } catch (error) {
    return `Chromium does not start here: ${(error as Error).message}`;
  }
}

/** Where the system has no fonts set up, text would be empty boxes: use the one that came along. */
async function fontsFrom(folder: string): Promise<Record<string, string>> {
  if (existsSync('/etc/fonts/fonts.conf')) return {};
  const file = join(folder, 'own-fonts.conf');
  if (!existsSync(file)) {
    const fonts = `<dir>${join(folder, 'fonts')}</dir><cachedir>${join(folder, 'font-cache')}</cachedir>`;
    await writeFile(file, `<?xml version="1.0"?><fontconfig>${fonts}</fontconfig>\n`);
  }
  return { FONTCONFIG_FILE: file };
}
