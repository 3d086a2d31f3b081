/**
 * Makes dist/'s types fit for TypeScript from 5.4, with and without the DOM's types, and for CommonJS: tsc writes them for
 * its own version, and one file for each module.
 */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';

const GLOBALS = 'globals.d.ts';

/** Does all of it, in place. `doors`: the entries that users import, without extension. */
export function finishTypes(root: string, doors: readonly string[]): void {
  const dist = join(root, 'dist');
  const entries = doors.map((door) => join(dist, `${door}.d.ts`));
  const reached = reachable(entries);
  for (const file of declarationsIn(dist)) if (!reached.has(file)) rmSync(file);
  cpSync(join(root, 'src', GLOBALS), join(dist, GLOBALS));
  for (const file of reached) {
    const text = portable(readFileSync(file, 'utf8'));
    const globals = relative(dirname(file), join(dist, GLOBALS)).replace(/^(?!\.)/, './');
    writeFileSync(file, entries.includes(file) ? `/// <reference path="${globals}" />\n${text}` : text);
  }
  for (const entry of entries) forCommonJS(entry, dist);
}

const declarationsIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.d.ts'))
    .map((name) => join(folder, name));

/** Files that the entries import, directly or not. */
function reachable(entries: readonly string[]): Set<string> {
  const found = new Set<string>();
  const visit = (file: string) => {
    if (found.has(file) || !existsSync(file)) return;
    found.add(file);
    for (const [, , path] of readFileSync(file, 'utf8').matchAll(/(from |import\()['"](\.[^'"]+)['"]/g))
      visit(join(dirname(file), path.replace(/\.[jt]s$/, '.d.ts')));
  };
  entries.forEach(visit);
  return found;
}

/** Typed arrays are generic from TypeScript 5.7 on; what `of` returns is right in all. */
const portable = (text: string): string =>
  text
    .replace(/\b(\w+Array)<ArrayBuffer>/g, "ReturnType<$1Constructor['of']>")
    .replace(/\b(\w+Array)<ArrayBufferLike>/g, '$1')
    .replace(/(from |import\()(['"])(\.[^'"]+)\.ts\2/g, '$1$2$3.js$2');

/**
 * The door for `require()`, which Node has for ES modules from 20.19 and 22.12 on: the same names, each with its type in the
 * door for `import`.
 */
function forCommonJS(entry: string, dist: string): void {
  const door = entry.replace(/\.d\.ts$/, '');
  const name = door.slice(door.lastIndexOf('/') + 1);
  const program = ts.createProgram([entry], {
    ...{ module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
    ...{ target: ts.ScriptTarget.ESNext, types: [] },
  });
  const checker = program.getTypeChecker();
  const from = `import('./${name}.js', { with: { 'resolution-mode': 'import' } })`;
  /** A type parameter as it reads outside its file: the other types that it names are imported from theirs. */
  const anywhere = (parameter: ts.TypeParameterDeclaration): string => {
    const begin = parameter.getStart();
    let text = parameter.getText();
    const visit = (node: ts.Node): void => {
      // From the last to the first, so that what is still to come stands where it stood.
      const children: ts.Node[] = [];
      ts.forEachChild(node, (child) => void children.unshift(child));
      children.forEach(visit);
      if (ts.isTypeReferenceNode(node)) {
        const named = checker.getSymbolAtLocation(node.typeName)!;
        const type = named.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(named) : named;
        const { fileName } = type.declarations![0].getSourceFile();
        if (fileName.startsWith(dist) && !(type.flags & ts.SymbolFlags.TypeParameter)) {
          const path = relative(dirname(entry), fileName).replace(/\.d\.ts$/, '.js');
          const there = `import('./${path}', { with: { 'resolution-mode': 'import' } }).${type.name}`;
          text =
            text.slice(0, node.typeName.getStart() - begin) + there + text.slice(node.typeName.end - begin);
        }
      }
    };
    visit(parameter);
    return text;
  };
  const namesOf = (module: ts.Symbol, path: string, indent: string): string[] =>
    checker.getExportsOfModule(module).flatMap((symbol) => {
      const isType = symbol.declarations?.some(
        (d) => ts.isExportSpecifier(d) && ts.isTypeOnlyExportDeclaration(d),
      );
      const it = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
      const at = `${path}.${symbol.name}`;
      if (it.flags & ts.SymbolFlags.ValueModule)
        return [
          `${indent}export namespace ${symbol.name} {`,
          ...namesOf(it, at, `${indent}  `),
          `${indent}}`,
        ];
      const declaration = it.declarations?.find(
        (d) => ts.isTypeAliasDeclaration(d) || ts.isInterfaceDeclaration(d) || ts.isClassDeclaration(d),
      ) as ts.InterfaceDeclaration | undefined;
      const parameters = declaration?.typeParameters ?? [];
      const head = parameters.length ? `<${parameters.map(anywhere).join(', ')}>` : '';
      const args = parameters.length ? `<${parameters.map((p) => p.name.text).join(', ')}>` : '';
      return [
        ...(!isType && it.flags & ts.SymbolFlags.Value
          ? [`${indent}export const ${symbol.name}: typeof ${at};`]
          : []),
        ...(it.flags & ts.SymbolFlags.Type
          ? [`${indent}export type ${symbol.name}${head} = ${at}${args};`]
          : []),
      ];
    });
  const module = checker.getSymbolAtLocation(program.getSourceFile(entry)!)!;
  const lines = namesOf(module, from, '').map((line) =>
    line.replace(/^export (const|namespace)/, 'export declare $1'),
  );
  writeFileSync(`${door}.d.cts`, `${lines.join('\n')}\n`);
  writeFileSync(`${door}.cjs`, stub(name));
}

const stub = (name: string): string => `'use strict';
try {
  module.exports = require('./${name}.js');
} catch (error) {
  if (error.code !== 'ERR_REQUIRE_ESM') throw error;
  throw new Error("biphase is an ES module: require() takes it in Node from 20.19 and 22.12 on; elsewhere use await import('biphase')", { cause: error });
}
`;
