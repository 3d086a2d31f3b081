/** What names of layers may be. */
export const NAMES = 'a name of letters, digits, - and _ that begins with a letter';
export const isName = (name: unknown): boolean => typeof name === 'string' && /^[A-Za-z_][\w-]*$/.test(name);
