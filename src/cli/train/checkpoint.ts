import { unlink } from 'node:fs/promises';
import { placeOf } from '../../io/place.ts';
import { parseSafetensors } from '../../io/safetensors.ts';
import { BiphaseError } from '../../node.ts';
import { read } from '../files.ts';
import { say } from '../print.ts';
import type { TrainOptions } from './options.ts';

type Options = Pick<TrainOptions, 'checkpoint' | 'resume' | 'output'>;

/**
 * For before the work: throws where there is no checkpoint to go on from, and where the path leads to something that is not a
 * checkpoint and would be lost.
 */
export async function checkCheckpoint({ checkpoint: path, resume }: Options): Promise<void> {
  if (!path) {
    if (resume) throw new BiphaseError('invalid_argument', '--resume needs the --checkpoint to go on from');
    return;
  }
  const { kind, stats } = await placeOf(path);
  if (kind === 'stream' || kind === 'stdout')
    throw new BiphaseError(
      'invalid_argument',
      `--checkpoint is ${path}, a pipe or a device; give a file, which --resume can read again`,
    );
  if (kind === 'new') {
    if (!resume) return;
    throw new BiphaseError(
      'io_failed',
      `there is no checkpoint ${path} to go on from; leave out --resume to begin anew`,
    );
  }
  if (!resume && stats?.size === 0n) return;
  if (!isCheckpoint(await read(path)))
    throw new BiphaseError(
      'invalid_data',
      `${path} is not a sound checkpoint, ${resume ? 'and can not be gone on from' : 'and would be replaced by one; give --checkpoint another name'}`,
    );
  if (!resume) say(`${path} is there already and will be replaced; --resume would go on from it`);
}

function isCheckpoint(file: Uint8Array): boolean {
  try {
    return parseSafetensors(file).metadata.format === 'biphase.checkpoint';
  } catch {
    return false;
  }
}

/** A finished run's checkpoint would make the next one with --resume do nothing. Links to it stay. */
export async function discard({ checkpoint: path, output }: Options): Promise<void> {
  if (!path) return;
  const [{ kind, target, identity }, model] = await Promise.all([placeOf(path), placeOf(output)]);
  // Names that differ only in capitals are one file on some systems, which can't be known before it is there.
  if (kind === 'file' && identity !== model.identity) await unlink(target).catch(() => undefined);
}
