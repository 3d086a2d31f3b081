import { readdirSync, readFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Folders that hold no programs of ours: packages, what is built, and what users of the packed library write. */
const foreign = /node_modules|^test\/(package|bundlers|runtimes)\//;
const roots = ['src', 'conformance', 'bench', 'examples', 'tools', 'test'];
const files = roots.flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((f) => `${folder}/${f}`)
    .filter((f) => f.endsWith('.ts') && !foreign.test(f)),
);
const library = files.filter((f) => f.startsWith('src/'));

/** Files of ours that a file imports; `import type` counts, because a type is knowledge too. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((m) => m[1]);
  return specifiers
    .filter((s) => s.startsWith('.'))
    .map((s) => join(dirname(file), s))
    .filter((f) => f.includes('/') && extname(f));
}

const graph = new Map(files.map((f) => [f, importsOf(f)]));

/**
 * A room is a folder of src, a backend, or a part of the graph or the scheduler; what stands in src itself is 'index'. Of other
 * roots it is a folder, or a file beside it.
 */
const roomOf = (file: string): string => {
  const [folder, ...parts] = file.split('/');
  if (folder !== 'src') {
    const of = [folder, parts[0].replace(/\.ts$/, '')].join('/');
    return of in around ? of : folder;
  }
  if (parts.length === 1) return 'index';
  const divided = ['backend', 'graph', 'scheduler'].includes(parts[0]) && parts.length > 2;
  return divided ? `${parts[0]}/${parts[1]}` : parts[0];
};

const belowRooms = ['scheduler/choose', 'scheduler/turns', 'backend', 'graph', 'ops', 'core'];

/** What each room may import, besides itself: downwards only. */
const allowed: Record<string, string[]> = {
  core: [],
  generated: [],
  ops: ['core'],
  data: ['core'],
  metrics: ['core'],
  io: ['core'],
  graph: ['graph/passes', 'ops', 'core'],
  // Passes make graphs from graphs; what runs all of them is above.
  'graph/passes': ['graph', 'ops', 'core'],
  // What users call on tensors, a file a family; layers are made from them.
  functions: ['graph', 'ops', 'core'],
  nn: ['functions', 'graph', 'ops', 'core'],
  optim: ['ops', 'core'],
  model: ['graph', 'nn', 'ops', 'core'],
  plans: ['model', 'graph', 'graph/passes', 'nn', 'optim', 'ops', 'core'],
  quantize: ['plans', 'model', 'nn', 'graph', 'graph/passes', 'ops', 'core'],
  // What leaves: a model as a file, and the plan of one that is exported.
  files: ['quantize', 'plans', 'model', 'graph', 'nn', 'data', 'io', 'ops', 'core'],
  backend: ['graph', 'ops', 'core'],
  'backend/reference': ['backend', 'graph', 'ops', 'core'],
  'backend/wasm': ['backend', 'graph', 'ops', 'core', 'generated'],
  'backend/webgpu': ['backend', 'graph', 'ops', 'core', 'generated'],
  kernels: ['backend/wasm', 'backend', 'graph', 'ops', 'core', 'generated'],
  // Which backend runs a plan, and what becomes of programs whose backend is lost.
  'scheduler/choose': ['backend', 'graph', 'ops', 'core'],
  // Who computes when, and what it took.
  'scheduler/turns': ['core'],
  'scheduler/train': [...belowRooms, 'plans', 'model', 'nn', 'optim', 'data', 'metrics', 'io'],
  'scheduler/serve': [...belowRooms, 'model', 'nn', 'data', 'io'],
  scheduler: [
    ...belowRooms,
    ...['scheduler/train', 'scheduler/serve', 'quantize', 'plans', 'model', 'nn', 'optim', 'data'],
  ],
  providers: ['scheduler/choose', 'backend', 'backend/reference', 'backend/wasm', 'backend/webgpu', 'core'],
  // Commands are users of the library, of files, and of the benchmark that is published with them.
  cli: ['index', 'io', 'core', 'bench/published', 'bench/run'],
  workerd: ['index', 'kernels', 'backend/wasm', 'wasm'],
  index: [
    'providers',
    ...['scheduler', 'scheduler/choose', 'scheduler/turns', 'scheduler/train', 'scheduler/serve'],
    ...['files', 'quantize', 'plans', 'model'],
    'nn',
    'optim',
    'data',
    'metrics',
    'io',
    'functions',
    'graph',
    'ops',
    'core',
    'backend',
    'backend/reference',
    'backend/wasm',
    'backend/webgpu',
  ],
};

/**
 * What stands around the library, and what each may import besides itself; 'src' is all of it but `cli`, 'assembly' what is declared of
 * the tape for programs of both sides. From the bottom up: a
 * room names none that comes after it, so there are no rings.
 */
const around: Record<string, string[]> = {
  'tools/report': [],
  'tools/build': ['assembly', 'src'],
  'tools/hosts': ['src'],
  'tools/simulated': ['src'],
  'conformance/kit': ['src'],
  conformance: ['conformance/kit', 'src'],
  'conformance/judge': ['conformance', 'conformance/kit', 'src'],
  'bench/run': ['conformance/kit', 'src'],
  'bench/suites': ['bench/run', 'conformance/judge', 'conformance/kit', 'src'],
  'bench/published': ['bench/suites', 'bench/run'],
  cli: ['bench/published', 'bench/run', 'src'],
  'tools/digits': ['tools/report', 'tools/hosts', 'cli', 'src'],
  'bench/report': ['bench/run', 'tools/report', 'src'],
  'bench/peers': ['bench/suites', 'bench/run', 'tools/hosts', 'src'],
  'bench/native': ['bench/peers', 'bench/suites', 'bench/run', 'src'],
  'bench/programs': ['bench/peers', 'bench/suites', 'bench/run', 'tools/simulated', 'src'],
  bench: [
    'bench/programs',
    'bench/native',
    'bench/peers',
    'bench/report',
    'bench/suites',
    'bench/run',
    'tools/hosts',
    'cli',
    'src',
  ],
  // They import 'biphase' alone, to be copied.
  examples: [],
  'tools/check': ['bench/run', 'tools/digits', 'tools/build', 'tools/hosts', 'cli', 'src'],
  'tools/docs': ['tools/check', 'tools/build', 'assembly', 'src'],
  'tools/gpu': [
    'bench/suites',
    'bench/peers',
    'bench/run',
    'conformance/judge',
    'conformance/kit',
    'conformance',
    'tools/hosts',
    'src',
  ],
};
/** Tests see everything. */
const tests = 'test';

describe('architecture', () => {
  it('finds the sources', () => {
    expect(library.length).toBeGreaterThan(50);
    expect(importsOf('src/index.ts').length).toBeGreaterThan(10);
    for (const room of [...Object.keys(allowed), ...Object.keys(around)].filter((r) => r !== 'generated'))
      expect(files.filter((f) => roomOf(f) === room).length, `files in ${room}`).toBeGreaterThan(0);
  });

  it('imports only point down', () => {
    const upward: string[] = [];
    for (const [file, imports] of graph)
      for (const target of imports) {
        const [from, to] = [roomOf(file), roomOf(target)];
        if (from === to || from === tests) continue;
        const may = allowed[from] ?? around[from] ?? [];
        const library = may.includes('src') && target.startsWith('src/') && to !== 'cli';
        if (!library && !may.includes(to)) upward.push(`${file} imports ${target}`);
      }
    expect(upward).toEqual([]);
  });

  it('there are no rings around the library', () => {
    const order = ['src', 'assembly', ...Object.keys(around)];
    for (const [room, may] of Object.entries(around))
      for (const other of may)
        expect(order.indexOf(other), `${room}: ${other}`).toBeLessThan(order.indexOf(room));
  });

  it('only the doors and src/providers name concrete backends', () => {
    const naming = library.filter(
      (f) => importsOf(f).some((t) => /^src\/backend\/\w+\//.test(t)) && !f.startsWith('src/backend/'),
    );
    const may = ['index', 'kernels', 'providers', 'workerd'];
    expect(naming.filter((f) => !may.includes(roomOf(f)))).toEqual([]);
  });

  it('has no cycles', () => {
    const done = new Set<string>();
    const path: string[] = [];
    const cycles: string[] = [];
    const visit = (file: string) => {
      if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
      if (done.has(file) || path.includes(file)) return;
      path.push(file);
      for (const next of graph.get(file) ?? []) visit(next);
      path.pop();
      done.add(file);
    };
    for (const f of files) visit(f);
    expect(cycles).toEqual([]);
  });

  it('the library imports no Node module, and no package but what is bundled into it', () => {
    const bare = library
      .filter((f) => roomOf(f) !== 'cli')
      .flatMap((f) =>
        [...readFileSync(join(root, f), 'utf8').matchAll(/(?:from|import)\s*\(?\s*'([^'.][^']*)'/g)].map(
          (m) => `${f}: ${m[1]}`,
        ),
      );
    expect(bare).toEqual(['src/io/seal.ts: @noble/hashes/sha2.js']);
  });
});
