import { relative } from 'node:path';
import { type BuildOptions, build } from 'esbuild';

/** Of what is fetched later, a page that computes needs this: one build of the kernels, here the larger. */
const needed = /wasm-relaxed/;

/**
 * What a page with this program downloads: the texts of its files, bundled and minified. Parts that are fetched only for certain
 * calls (the templates of frozen files) are not among them. `folder` is where the program's imports are found.
 */
export async function downloadOf(code: string, folder: string, options: BuildOptions): Promise<string[]> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: code, resolveDir: folder },
    ...{ bundle: true, minify: true, write: false, format: 'esm', logLevel: 'silent' },
    ...{ splitting: true, outdir: folder, absWorkingDir: folder },
    ...options,
    ...{ write: false as const, metafile: true as const },
  });
  const files = metafile.outputs;
  const fetched = new Set(Object.keys(files).filter((path) => files[path].entryPoint === '<stdin>'));
  const isNeeded = (path: string) =>
    Object.keys(files[path]?.inputs ?? {}).some((input) => needed.test(input));
  for (const path of fetched)
    for (const { path: imported, kind } of files[path].imports)
      if (files[imported] && (kind === 'import-statement' || isNeeded(imported))) fetched.add(imported);
  return outputFiles.filter(({ path }) => fetched.has(relative(folder, path))).map(({ text }) => text);
}
