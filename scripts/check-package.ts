/**
 * Checks what users get: packs the library, installs the tarball in an empty folder, and there, with plain Node
 * and no source tree in sight, runs it and compiles against its types. Prints the size of the whole and of each door.
 */
import { cpSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { sizeOf, uses } from './entry-sizes.ts';
import { installPacked, run } from './pack.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const examples = join(root, 'test', 'package');
const MOST_PACKED = 400 * 1024;
const MOST_WASM = 64 * 1024;
const kilobytes = (bytes: number) => `${(bytes / 1024).toFixed(1)} KB`;

let failures = 0;
async function check(name: string, body: () => void | Promise<void>): Promise<void> {
  try {
    await body();
    console.log(`ok      ${name}`);
  } catch (error) {
    failures++;
    console.log(`FAILED  ${name}\n${(error as Error).message}`);
  }
}

const packed = installPacked();
const { folder } = packed;
const installed = join(folder, 'node_modules', 'biphase');
try {
  await check('it holds what a user needs and nothing else', () => {
    const wanted =
      /^(dist\/.+\.(js|d\.ts|wasm)|dist\/cli\/THIRD_PARTY_LICENSES\.txt|package\.json|README\.md|LICENSE|CHANGELOG\.md)$/;
    const stray = packed.files.map(({ path }) => path).filter((path) => !wanted.test(path));
    if (stray.length) throw new Error(`not expected: ${stray.join(', ')}`);
  });
  await check('publint finds nothing wrong', async () => {
    const { messages } = await publint({ pkgDir: installed, pack: false, strict: true });
    const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
    const complaints = messages.map((message) => formatMessage(message, manifest));
    if (complaints.length) throw new Error(complaints.join('\n'));
  });
  await check('attw finds nothing wrong with its types, for users of ES modules', () => {
    const program = join(root, 'node_modules', '@arethetypeswrong', 'cli', 'dist', 'index.js');
    run(process.execPath, [program, packed.tarball, '--profile', 'esm-only', '--no-color'], root);
  });
  await check(`the tarball is at most ${kilobytes(MOST_PACKED)}`, () => {
    const { size, unpackedSize, files } = packed;
    console.log(`        ${kilobytes(size)}, ${kilobytes(unpackedSize)} unpacked, ${files.length} files`);
    if (size > MOST_PACKED) throw new Error(`it is ${kilobytes(size)}`);
  });
  await check(`each WebAssembly build is at most ${kilobytes(MOST_WASM)}`, () => {
    for (const build of ['simd128', 'relaxed']) {
      const { size } = statSync(join(installed, 'dist', 'wasm', `${build}.wasm`));
      console.log(`        ${build.padEnd(16)} ${kilobytes(size).padStart(9)}`);
      if (size > MOST_WASM) throw new Error(`${build}.wasm is ${kilobytes(size)}`);
    }
  });
  await check(
    'each use, minified and gzipped, is within its budget and brings nothing else along',
    async () => {
      const complaints: string[] = [];
      for (const use of uses) {
        const { bytes, unwanted } = await sizeOf(use, folder);
        console.log(
          `        ${use.name.padEnd(16)} ${kilobytes(bytes).padStart(9)} of ${kilobytes(use.budget)}`,
        );
        if (bytes > use.budget) complaints.push(`${use.name} is ${kilobytes(bytes)}`);
        for (const part of unwanted) complaints.push(`${use.name} brings along ${part}`);
      }
      if (complaints.length) throw new Error(complaints.join('\n'));
    },
  );
  await check('plain Node runs it', () => {
    cpSync(join(examples, 'use.js'), join(folder, 'use.js'));
    process.stdout.write(run(process.execPath, ['use.js'], folder));
  });
  await check('its types are right for a strict project without Node or WebGPU types', () => {
    cpSync(join(examples, 'types.ts'), join(folder, 'types.ts'));
    const compilerOptions = {
      ...{ module: 'esnext', moduleResolution: 'bundler', target: 'es2022', lib: ['esnext', 'dom'] },
      ...{ strict: true, skipLibCheck: false, types: [], noEmit: true },
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['types.ts'] }));
    const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    run(process.execPath, [compiler], folder);
  });
} catch (error) {
  failures++;
  console.log((error as Error).message);
} finally {
  packed.remove();
}
process.exitCode = failures ? 1 : 0;
