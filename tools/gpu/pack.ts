/**
 * Packs all that a machine with a GPU needs, and lacks, into one archive under 60 MB: this Node, the library, Dawn, the peers
 * for WebGPU, the conformance cases, and a script that runs without a network.
 *
 *     npm run gpu:pack                 writes out/biphase-gpu.tar.gz
 *     tar xzf biphase-gpu.tar.gz && ./biphase-gpu/gpu.sh
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { installPeers } from '../../bench/peers.ts';
import { unpack } from '../hosts/unpack.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const MOST_BYTES = 60e6;

/** Puts everything into a folder. Throws where a part is missing here. */
export async function packInto(folder: string): Promise<void> {
  await installPeers();
  mkdirSync(folder, { recursive: true });
  await build({
    entryPoints: { run: join(root, 'tools/gpu/run.ts'), 'peers/child': join(root, 'bench/peers/child.ts') },
    ...{ outdir: folder, outExtension: { '.js': '.mjs' }, bundle: true, splitting: true },
    ...{ platform: 'node', format: 'esm', target: 'node20', logLevel: 'error' },
    // Dawn is loaded by its name; onnxruntime-web is no peer on WebGPU; a packed peer needs no software GPU unpacked.
    external: ['webgpu', 'onnxruntime-web', 'protobufjs', '@sparticuz/chromium', 'tar-fs'],
    // Packages for CommonJS ask for `require` of Node's own modules.
    banner: {
      js: "import { createRequire as require_ } from 'node:module'; const require = require_(import.meta.url);",
    },
  });
  cpSync(process.execPath, join(folder, 'node'));
  cpSync(join(root, 'tools/gpu/gpu.sh'), join(folder, 'gpu.sh'));
  for (const file of ['node', 'gpu.sh']) chmodSync(join(folder, file), 0o755);
  const dawn = dirname(createRequire(import.meta.url).resolve('webgpu/package.json'));
  const other = (path: string) =>
    /[/\\]dist[/\\][^/\\]+-/.test(path) && !path.includes(`${process.platform}-${process.arch}`);
  cpSync(dawn, join(folder, 'node_modules/webgpu'), { recursive: true, filter: (path) => !other(path) });
  const vulkan = await unpack('swiftshader', ['swiftshader.tar.br']);
  if (typeof vulkan === 'string') throw new Error(`no Vulkan loader to pack: ${vulkan}`);
  for (const name of ['libvulkan.so.1', 'libvk_swiftshader.so', 'vk_swiftshader_icd.json'])
    cpSync(join(vulkan.folder, name), join(folder, 'vulkan', name));
}

/** The archive of a packed folder; its size in bytes. Throws where it is over 60 MB. */
export function archive(folder: string, file: string): number {
  const { status } = spawnSync(
    'tar',
    ['-C', dirname(folder), '-czf', file, folder.slice(dirname(folder).length + 1)],
    {
      stdio: ['ignore', 'inherit', 'ignore'],
    },
  );
  if (status !== 0) throw new Error('tar could not make the archive');
  const bytes = statSync(file).size;
  if (bytes > MOST_BYTES) throw new Error(`${file} is ${bytes} bytes, over ${MOST_BYTES}`);
  return bytes;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder, file] = ['out/biphase-gpu', 'out/biphase-gpu.tar.gz'].map((path) => join(root, path));
  rmSync(folder, { recursive: true, force: true });
  await packInto(folder);
  const bytes = archive(folder, file);
  rmSync(folder, { recursive: true });
  console.log(
    `${file}: ${(bytes / 1e6).toFixed(1)} MB. On the other machine: tar xzf, then ./biphase-gpu/gpu.sh`,
  );
}
