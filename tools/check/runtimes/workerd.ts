/** workerd, with the suite bundled as its own tools do: the condition `workerd`, WebAssembly files left as modules. */
import { copyFileSync, existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { startWorkerd, workerd } from '../hosts/workerd.ts';
import { NOT_INSTALLED } from './commands.ts';
import type { Report, Runtime } from './report.ts';

const wasmAsModules: Plugin = {
  name: 'wasm as modules',
  setup({ onResolve }) {
    onResolve({ filter: /\.wasm$/ }, ({ path }) => ({ path: basename(path), external: true }));
  },
};

export const inWorkerd: Runtime = {
  ...{ name: 'workerd', threads: false, relaxed: true },
  run: async (folder) => {
    if (!existsSync(workerd)) return NOT_INSTALLED;
    const config = 'workerd.capnp';
    copyFileSync(
      fileURLToPath(new URL(`../../../test/runtimes/${config}`, import.meta.url)),
      join(folder, config),
    );
    await build({
      entryPoints: [join(folder, 'worker.js')],
      outfile: join(folder, 'worker.bundle.js'),
      ...{ bundle: true, format: 'esm', platform: 'neutral', logLevel: 'error' },
      ...{ conditions: ['workerd', 'worker'], plugins: [wasmAsModules] },
    });
    const server = await startWorkerd(folder, config);
    try {
      const response = await fetch(server.url);
      if (!response.ok) throw new Error(await response.text());
      return (await response.json()) as Report;
    } finally {
      server.stop();
    }
  },
};
