/** Every block of TypeScript in the documents compiles against the library as it is. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const documents = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)];

/** Names that the blocks take as given: their text says what they are. */
const given = `
  declare const a: Float32Array, b: Float32Array;
  declare const m: number, n: number, k: number;
  declare const int8: import('biphase').QuantizedModel;
  declare module '*.wasm' { const module: WebAssembly.Module; export default module; }
`;

it('blocks of TypeScript compile', { timeout: 120_000 }, () => {
  const files = new Map([[join(root, 'given.d.ts'), given]]);
  for (const document of documents.filter((name) => name.endsWith('.md'))) {
    const text = readFileSync(join(root, document), 'utf8');
    for (const { 1: code, index } of text.matchAll(/```ts\n([\s\S]*?)```/g)) {
      const line = text.slice(0, index).split('\n').length;
      files.set(join(root, `${document.replaceAll(/\W/g, '-')}-line-${line}.ts`), `${code}\nexport {};\n`);
    }
  }
  expect(files.size).toBeGreaterThan(4);

  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  options.noUnusedLocals = false;
  options.paths = {
    biphase: ['./src/index.ts'],
    'biphase/kernels': ['./src/kernels/index.ts'],
    'biphase/webgpu': ['./src/webgpu.ts'],
    'biphase/node': ['./src/node.ts'],
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (name) => files.has(name) || fileExists(name);
  host.readFile = (name) => files.get(name) ?? readFile(name);
  host.getSourceFile = (name, ...rest) => {
    const code = files.get(name);
    return code === undefined
      ? getSourceFile(name, ...rest)
      : ts.createSourceFile(name, code, {
          languageVersion: ts.ScriptTarget.ES2022,
          impliedNodeFormat: ts.ModuleKind.ESNext,
        });
  };
  const program = ts.createProgram([...files.keys()], options, host);
  const problems = [...files.keys()]
    .map((name) => program.getSourceFile(name)!)
    .flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]);
  const format = ts.formatDiagnostics(problems, {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: () => root,
    getNewLine: () => '\n',
  });
  expect(format).toBe('');
});
