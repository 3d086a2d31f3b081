import { fail } from '../core/errors.ts';

/** What the header of a NPY file says. */
export interface NpyHeader {
  /** '<', '>', '=' or '|': the order of bytes. */
  readonly order: string;
  /** Kind and bytes of an element, such as 'f4'. */
  readonly type: string;
  /** Whether the first dimension is the one whose elements lie side by side. */
  readonly fortran: boolean;
  readonly shape: readonly number[];
}

/**
 * Reads the header's Python dictionary, as any NumPy wrote it: keys in any order, quotes of either kind, and sizes
 * with the L that Python 2 put behind whole numbers. Throws 'invalid_data' with what could not be read.
 */
export function parseNpyHeader(text: string, what: string): NpyHeader {
  const bad = (found: string): never => fail('invalid_data', `${what}: its header ${found}`);
  const value = (key: string, pattern: string) =>
    new RegExp(`(['"])${key}\\1\\s*:\\s*${pattern}`).exec(text)?.[2] ?? undefined;
  const descr = value('descr', `(?:['"]([^'"]*)['"])`);
  if (descr === undefined)
    return /(['"])descr\1\s*:\s*\[/.test(text)
      ? bad(
          'tells of records with named fields; save a plain array: numpy.stack([x[n] for n in x.dtype.names], 1)',
        )
      : bad('names no type. The file may be truncated or of another kind');
  const [, order, type] = /^([<>=|]?)(\w+)$/.exec(descr) ?? ['', '', descr];
  const sizes = value('shape', '\\(([\\d,\\sL]*)\\)') ?? bad('has no shape');
  const fortran = value('fortran_order', '(True|False)') ?? bad('does not say in which order values lie');
  const shape = sizes.split(',').flatMap((s) => (s.trim() ? [Number(s.trim().replace(/L$/, ''))] : []));
  if (!shape.every(Number.isSafeInteger)) bad(`has the shape (${sizes})`);
  return { order, type, fortran: fortran === 'True', shape };
}
