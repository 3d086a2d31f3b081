import { createEngine, type Engine, type EngineOptions } from '../node.ts';

/**
 * The one place where the program makes engines. Vectors are wide unless the user says otherwise: the flag that switches them
 * holds for a whole process, and the process is the program's own.
 */
export const openEngine = (options: EngineOptions = {}): Promise<Engine> =>
  createEngine({ wide: true, ...options });
