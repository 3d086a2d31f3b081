import { BiphaseError, distill, type nn } from '../../node.ts';
import { type ModelFacts, notesOf } from '../data/facts.ts';
import type { Target } from '../data/target.ts';
import { readModel } from '../models.ts';
import type { TrainOptions } from './options.ts';

/** What a teacher and its student have to see alike. */
const SHARED = ['classes', 'inputs', 'transform'] as const;

/** The student's own loss, with a teacher's part where there is one. Throws for a teacher of other classes or inputs than these. */
export async function lossOf(
  { teacher: path, temperature, alpha }: TrainOptions,
  target: Target,
  facts: ModelFacts,
  loss: nn.Loss,
): Promise<nn.Loss> {
  if (path === undefined) {
    if (temperature === undefined && alpha === undefined) return loss;
    throw new BiphaseError(
      'invalid_argument',
      '--temperature and --alpha say how much a --teacher has to say; give one',
    );
  }
  if (target.loss !== 'cross-entropy')
    throw new BiphaseError(
      'invalid_argument',
      `--teacher teaches classes with cross-entropy, and the loss is ${target.loss}`,
    );
  const teacher = await readModel(path);
  const [theirs, ours] = [notesOf(teacher.facts), notesOf(facts)];
  for (const fact of SHARED)
    if (theirs[fact] !== ours[fact])
      throw new BiphaseError(
        'invalid_data',
        `${path} was trained with other ${fact} than these: ${told(theirs[fact])}, and now ${told(ours[fact])}`,
      );
  return distill({ teacher: teacher.model, temperature, alpha, loss });
}

const told = (text = 'none') => (text.length > 80 ? `${text.slice(0, 80)}...` : text);
