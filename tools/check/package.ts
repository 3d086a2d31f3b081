/**
 * Checks what users get: packs the library, installs the tarball in an empty folder, and there, with plain Node
 * and no source tree in sight, runs it and compiles against its types. Prints the size of the whole and of each door.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { sizeOf, uses } from './entry-sizes.ts';
import { installPacked, run } from './pack.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const examples = join(root, 'test', 'package');
const MOST_PACKED = 780 * 1024;
/** Compilers that the types must be right for: the oldest, the one before arrays became generic, the next, ours. */
const COMPILERS = ['5.4', '5.6', '5.7', '6.0'];
const MOST_WASM = 144 * 1024;
const kilobytes = (bytes: number) => `${(bytes / 1024).toFixed(1)} KB`;

/** Kinds of programs, each strict and with its libraries checked. */
const dom = ['es2022', 'dom', 'dom.asynciterable'];
const node = { module: 'nodenext', moduleResolution: 'nodenext' };
const bundler = { module: 'esnext', moduleResolution: 'bundler' };
const projects = [
  {
    name: 'with the DOM, for bundlers',
    files: ['types.ts', 'no-dom.ts'],
    lib: dom,
    noEmit: true,
    ...bundler,
  },
  {
    name: 'with the DOM and disposables',
    files: ['types.ts'],
    lib: [...dom, 'esnext'],
    noEmit: true,
    ...node,
  },
  { name: 'without the DOM', files: ['no-dom.ts'], lib: ['es2022'], noEmit: true, ...node },
  { name: 'CommonJS', files: ['common.cts'], lib: ['es2022'], ...node },
  {
    name: 'CommonJS, Node 16 and later',
    files: ['common.cts'],
    lib: dom,
    module: 'node16',
    moduleResolution: 'node16',
  },
];

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
      /^(dist\/.+\.(c?js|d\.c?ts|wasm)|dist\/cli\/THIRD_PARTY_LICENSES\.txt|package\.json|README\.md|LICENSE)$/;
    const stray = packed.files.map(({ path }) => path).filter((path) => !wanted.test(path));
    if (stray.length) throw new Error(`not expected: ${stray.join(', ')}`);
  });
  await check('publint finds nothing wrong', async () => {
    const { messages } = await publint({ pkgDir: installed, pack: false, strict: true });
    const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
    const complaints = messages.map((message) => formatMessage(message, manifest));
    if (complaints.length) throw new Error(complaints.join('\n'));
  });
  await check('attw finds nothing wrong with its types, for ES modules and CommonJS', () => {
    const program = join(root, 'node_modules', '@arethetypeswrong', 'cli', 'dist', 'index.js');
    run(process.execPath, [program, packed.tarball, '--profile', 'node16', '--no-color'], root);
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
  const compilers = join(folder, 'compilers');
  mkdirSync(compilers);
  writeFileSync(join(compilers, 'package.json'), '{ "private": true }\n');
  const aliases = COMPILERS.map((version) => `ts-${version}@npm:typescript@${version}`);
  run('npm', ['install', '--no-audit', '--no-fund', '--silent', ...aliases], compilers);
  for (const file of ['types.ts', 'no-dom.ts', 'common.cts'])
    cpSync(join(examples, file), join(folder, file));
  for (const version of COMPILERS)
    for (const { name, files, ...options } of projects)
      await check(`its types are right for TypeScript ${version}: ${name}`, () => {
        const compilerOptions = {
          target: 'es2022',
          strict: true,
          skipLibCheck: false,
          types: [],
          ...options,
        };
        writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
        run(process.execPath, [join(compilers, 'node_modules', `ts-${version}`, 'bin', 'tsc')], folder);
      });
  await check('require() takes it, or says what to do', () => {
    const { status, stderr } = spawnSync(process.execPath, ['common.cjs'], { cwd: folder, encoding: 'utf8' });
    const takes = 'require_module' in process.features ? Boolean(process.features.require_module) : false;
    if (takes ? status !== 0 : !/await import\('biphase'\)/.test(stderr)) throw new Error(stderr);
  });
  await check('installing the unpacked package from a folder builds nothing', () => {
    const other = join(folder, 'other');
    mkdirSync(other);
    writeFileSync(join(other, 'package.json'), '{ "private": true }\n');
    run('npm', ['install', '--no-audit', '--no-fund', '--omit=peer', '--install-links', installed], other);
  });
  await check('what the README links to is in the package, or has an address', () => {
    const readme = readFileSync(join(installed, 'README.md'), 'utf8');
    const links = [...readme.matchAll(/\]\(([^)#\s]+)|(?:src|srcset)="([^"]+)"/g)].map((m) => m[1] ?? m[2]);
    const dead = links.filter((link) => !/^https:/.test(link) && !existsSync(join(installed, link)));
    if (dead.length) throw new Error(`not there: ${dead.join(', ')}`);
  });
} catch (error) {
  failures++;
  console.log((error as Error).message);
} finally {
  packed.remove();
}
process.exitCode = failures ? 1 : 0;
