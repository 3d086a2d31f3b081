import { fail } from '../core/errors.ts';
import { nodeModule } from '../core/node-module.ts';

type Builtin<Name extends 'node:fs' | 'node:os' | 'node:path'> = ReturnType<
  typeof process.getBuiltinModule<Name>
>;

/** What this folder uses of the system. */
export interface System {
  readonly fs: Builtin<'node:fs'>;
  readonly os: Builtin<'node:os'>;
  readonly path: Builtin<'node:path'>;
}

let known: System | undefined;

/** Files, where the runtime has them (Node, Deno, Bun). Throws 'unavailable' elsewhere. */
export async function system(): Promise<System> {
  if (known) return known;
  const [fs, os, path] = await Promise.all([
    nodeModule<System['fs']>('node:fs'),
    nodeModule<System['os']>('node:os'),
    nodeModule<System['path']>('node:path'),
  ]);
  if (!fs || !os || !path)
    return fail('unavailable', 'this runtime has no files; keep the bytes some other way');
  known = { fs, os, path };
  return known;
}

/** The same, for who can't wait: undefined before the first system(). */
export const systemNow = (): System | undefined => known;
