import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const src = fileURLToPath(new URL('../src', import.meta.url));
const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.ts'));

/** Files of src that a file imports; `import type` counts, because a type is knowledge too. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(src, file), 'utf8');
  const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((m) => m[1]);
  return specifiers.filter((s) => s.startsWith('.')).map((s) => relative(src, join(src, dirname(file), s)));
}

const graph = new Map(files.map((f) => [f, importsOf(f)]));

/** A room is a folder, a backend, or a part of the graph or the scheduler; what stands in src itself is 'index'. */
const roomOf = (file: string): string => {
  const parts = file.split('/');
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
  io: ['core'],
  graph: ['graph/passes', 'ops', 'core'],
  // Passes make graphs from graphs; what runs all of them is above.
  'graph/passes': ['graph', 'ops', 'core'],
  // What users call on tensors, a file a family; layers are made from them.
  functions: ['graph', 'ops', 'core'],
  nn: ['functions', 'graph', 'ops', 'core'],
  optim: ['ops', 'core'],
  model: ['graph', 'nn', 'ops', 'core'],
  plans: ['model', 'graph', 'nn', 'optim', 'ops', 'core'],
  quantize: ['plans', 'model', 'nn', 'graph', 'graph/passes', 'ops', 'core'],
  // What leaves: a model as a file, and the plan of one that is exported.
  files: ['quantize', 'plans', 'model', 'graph', 'nn', 'io', 'ops', 'core'],
  backend: ['graph', 'ops', 'core'],
  'backend/reference': ['backend', 'graph', 'ops', 'core'],
  'backend/wasm': ['backend', 'graph', 'ops', 'core', 'generated'],
  'backend/webgpu': ['backend', 'graph', 'ops', 'core', 'generated'],
  kernels: ['backend/wasm', 'backend', 'graph', 'ops', 'core', 'generated'],
  // Which backend runs a plan, and what becomes of programs whose backend is lost.
  'scheduler/choose': ['backend', 'graph', 'ops', 'core'],
  // Who computes when, and what it took.
  'scheduler/turns': ['core'],
  'scheduler/train': [...belowRooms, 'plans', 'model', 'nn', 'optim', 'data', 'io'],
  'scheduler/serve': [...belowRooms, 'plans', 'io'],
  scheduler: [
    ...belowRooms,
    ...['scheduler/train', 'scheduler/serve', 'quantize', 'plans', 'model', 'nn', 'optim', 'data'],
  ],
  providers: ['scheduler/choose', 'backend', 'backend/reference', 'backend/wasm', 'backend/webgpu', 'core'],
  // Commands are users of the library, of files, and of the benchmark that is published with them.
  cli: ['index', 'io', '..'],
  workerd: ['index', 'kernels', 'backend/wasm', 'wasm'],
  index: [
    'providers',
    ...['scheduler', 'scheduler/choose', 'scheduler/turns', 'scheduler/train', 'scheduler/serve'],
    ...['files', 'quantize', 'plans', 'model'],
    'nn',
    'optim',
    'data',
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

describe('architecture', () => {
  it('finds the sources', () => {
    expect(files.length).toBeGreaterThan(50);
    expect(importsOf('index.ts').length).toBeGreaterThan(10);
  });

  it('imports only point down', () => {
    const upward: string[] = [];
    for (const [file, imports] of graph)
      for (const target of imports) {
        const [from, to] = [roomOf(file), roomOf(target)];
        if (from !== to && !(allowed[from] ?? []).includes(to)) upward.push(`${file} imports ${target}`);
      }
    expect(upward).toEqual([]);
  });

  it('only the doors and src/providers name concrete backends', () => {
    const naming = files.filter(
      (f) => importsOf(f).some((t) => /^backend\/\w+\//.test(t)) && !f.startsWith('backend/'),
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
    const bare = files
      .filter((f) => roomOf(f) !== 'cli')
      .flatMap((f) =>
        [...readFileSync(join(src, f), 'utf8').matchAll(/(?:from|import)\s*\(?\s*'([^'.][^']*)'/g)].map(
          (m) => `${f}: ${m[1]}`,
        ),
      );
    expect(bare).toEqual(['io/seal.ts: @noble/hashes/sha2.js']);
  });
});
