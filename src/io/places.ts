import { fail } from '../core/errors.ts';
import { checkWritable } from './file.ts';
import { bigStat, identityOf, identityOfStream, type Place } from './place.ts';

/** Paths of one command, under what its user calls them: an option, an argument. */
export type NamedPaths = Readonly<Record<string, string | undefined>>;

/**
 * For before the work: throws 'invalid_argument' where two files that the command writes are one, or one is a file that it
 * reads, however they are spelled or linked; and 'io_failed' where one could not be written. Returns where they go.
 */
export async function checkPlaces(reads: NamedPaths, writes: NamedPaths): Promise<readonly Place[]> {
  const known = new Map<string, string>();
  for (const [name, path] of given(reads)) {
    const stats = await bigStat(path).catch(() => undefined);
    // A device (a terminal, /dev/null) gives and takes without harm.
    if (stats && !stats.isCharacterDevice()) known.set(identityOf(stats), `is read as ${name}`);
  }
  const printed = await identityOfStream(1);
  if (printed && known.has(printed))
    fail('invalid_argument', `what is printed (stdout) would go into the file that ${known.get(printed)}`);
  const remarks = await identityOfStream(2);
  if (remarks) known.set(remarks, 'messages go to (stderr)');
  const places: Place[] = [];
  for (const [name, path] of given(writes)) {
    const place = await checkWritable(path);
    places.push(place);
    if (place.stats?.isCharacterDevice()) continue;
    const taken = known.get(place.identity);
    if (taken)
      fail('invalid_argument', `${name} is ${path}, the file that ${taken}; give it a name of its own`);
    known.set(place.identity, `is written as ${name}`);
  }
  return places;
}

const given = (paths: NamedPaths) =>
  Object.entries(paths).flatMap(([name, path]) => (path === undefined ? [] : [[name, path] as const]));
