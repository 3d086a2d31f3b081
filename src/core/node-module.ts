/**
 * One of Node's own modules, which Deno and Bun have too; undefined elsewhere. Node before 20.16 hands them out only by
 * import, which is why this is a promise. The name stands in no import that a bundler could read, so bundles for pages stay
 * free of it.
 */
export async function nodeModule<T>(name: string): Promise<T | undefined> {
  if (typeof process === 'undefined' || !process.versions?.node) return undefined;
  if (typeof process.getBuiltinModule === 'function')
    return (process.getBuiltinModule(name) as T | undefined) ?? undefined;
  return import(/* webpackIgnore: true */ /* @vite-ignore */ name).catch(() => undefined);
}
