/** Which functions of a frozen template each record needs, so that a file keeps only those of its own records. */
import binaryen from 'binaryen';
import type { Parts } from '../../src/backend/wasm/frozen/parts.ts';
import { EXPORT, join, leb, readLeb, section, sectionsOf } from '../../src/backend/wasm/frozen/sections.ts';
import { OWN } from './generate-records.ts';

const STEP = 'step';
const isOwn = ({ name }: Export): boolean => name.startsWith(OWN) || name === STEP;

/** A template as files are made from it, and what each of its records needs. */
export function dividedTemplate(bytes: Uint8Array): { bytes: Uint8Array; parts: Parts } {
  const all = exportsOf(bytes);
  const always = reached(bytes, (e) => !isOwn(e));
  const parts: Record<number, number[]> = {};
  for (const own of all.filter(({ name }) => name.startsWith(OWN))) {
    if (always.has(own.index))
      throw new Error(`${own.name} is called from elsewhere than step(): no file could do without it`);
    const needed = reached(bytes, (e) => e.name === own.name);
    parts[Number(own.name.slice(OWN.length))] = [...needed].filter((f) => !always.has(f));
  }
  const hosts = all.filter((e) => !isOwn(e));
  return { bytes: withExports(bytes, hosts), parts };
}

/**
 * Functions that these exports and what runs at the start reach, by their place; dispatch leads nowhere. An optimizer's pass
 * tells: the module without what can't be reached. It knows calls through tables and references, too.
 */
function reached(bytes: Uint8Array, from: (e: Export) => boolean): Set<number> {
  const module = binaryen.readBinary(bytes);
  module.setFeatures(binaryen.Features.All);
  const places = new Map(functionNames(module).map((name, place) => [name, place]));
  const step = module.getFunctionByIndex(exportsOf(bytes).find(({ name }) => name === STEP)!.index);
  const { name, params, results } = binaryen.getFunctionInfo(step);
  module.removeFunction(name);
  module.addFunction(name, params, results, [], module.unreachable());
  for (const e of exportsOf(bytes)) if (!from(e)) module.removeExport(e.name);
  module.runPasses(['remove-unused-module-elements']);
  const left = functionNames(module).map((name) => places.get(name)!);
  module.dispose();
  return new Set(left);
}

const functionNames = (module: binaryen.Module): string[] =>
  Array.from(
    { length: module.getNumFunctions() },
    (_, i) => binaryen.getFunctionInfo(module.getFunctionByIndex(i)).name,
  );

interface Export {
  readonly name: string;
  /** Of the function, where it is one: frozen modules import none, so it is also its place in the code. */
  readonly index: number;
  readonly bytes: Uint8Array;
}

function exportsOf(bytes: Uint8Array): Export[] {
  const { start } = sectionsOf(bytes, 'the template').find(({ id }) => id === EXPORT)!;
  let [left, at] = readLeb(bytes, start, 'the template');
  const found: Export[] = [];
  for (; left > 0; left--) {
    const from = at;
    const [length, text] = readLeb(bytes, at, 'the template');
    const name = new TextDecoder().decode(bytes.subarray(text, text + length));
    // The kind of the export stands before its index.
    const [index, next] = readLeb(bytes, text + length + 1, 'the template');
    found.push({ name, index, bytes: bytes.subarray(from, next) });
    at = next;
  }
  return found;
}

function withExports(bytes: Uint8Array, exports: readonly Export[]): Uint8Array {
  const made = section(EXPORT, leb(exports.length), ...exports.map((e) => e.bytes));
  const sections = sectionsOf(bytes, 'the template');
  const kept = sections.map(({ id, from, end }) => (id === EXPORT ? made : bytes.subarray(from, end)));
  return join([bytes.subarray(0, 8), ...kept]);
}
