import { trainSlots } from './train.ts';
import { AVERAGE } from './update.ts';

/** Where the mean of a variable's values is: of parameters beside them, of buffers their own. */
export const averageOf = (slot: string): string => (slot === trainSlots.parameters ? AVERAGE : slot);
