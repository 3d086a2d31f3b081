/** What a value may be; used by `optionsOf` and wherever arguments are checked. */
export interface Check {
  (value: unknown): boolean;
  /** What is right, in words that stand after "expected". */
  readonly expected: string;
  /** Whether it must be given. */
  readonly required?: true;
}

/** A check from its words and its test. */
export const check = (expected: string, test: (value: unknown) => boolean): Check =>
  Object.assign((value: unknown) => test(value), { expected });

const span = (least: number, most: number): string =>
  (least > -Number.MAX_SAFE_INTEGER ? ` from ${least}` : '') +
  (most < Number.MAX_SAFE_INTEGER ? ` to ${most}` : '');

/** A whole number within limits, both included. */
export const whole = (least: number, most: number = Number.MAX_SAFE_INTEGER): Check =>
  check(
    `a whole number${span(least, most)}`,
    (n) => Number.isSafeInteger(n) && (n as number) >= least && (n as number) <= most,
  );

/** A finite number within limits, both included; infinite ones only where they are the limit. */
export const real = (least = -Number.MAX_VALUE, most: number = Number.MAX_VALUE): Check =>
  check(
    `a${most === Infinity ? '' : ' finite'} number${span(least, most)}`,
    (n) => typeof n === 'number' && n >= least && n <= most,
  );

export const positive: Check = check(
  'a finite number above 0',
  (n) => typeof n === 'number' && n > 0 && n < Infinity,
);

/** Seeds of every kind: each whole number is a stream of its own, so nothing may be cut off. */
export const seed: Check = whole(0, 2 ** 32 - 1);

export const flag: Check = check('true or false', (x) => typeof x === 'boolean');
export const text: Check = check('a string', (x) => typeof x === 'string');
export const path: Check = check(
  'a path, as a string',
  (x) => typeof x === 'string' && x !== '' && !x.includes('\0'),
);
export const callback: Check = check('a function', (x) => typeof x === 'function');
export const object: Check = check(
  'an object',
  (x) => typeof x === 'object' && x !== null && !Array.isArray(x),
);
/** Texts by name. */
export const texts: Check = check(
  'an object with a string for each name',
  (x) => object(x) && Object.values(x as object).every(text),
);
/** For what its user checks in full, with words of its own. */
export const anything: Check = check('anything', () => true);

export const oneOf = (...names: readonly (string | false)[]): Check =>
  check(names.map((n) => (n === false ? 'false' : `'${n}'`)).join(' or '), (x) =>
    names.includes(x as string),
  );

/** An array whose every element passes. Typed arrays are welcome: they only hold numbers. */
export const listOf = (element: Check, words = `an array with ${element.expected} in each place`): Check =>
  check(words, (x) => {
    const isList = Array.isArray(x) || (ArrayBuffer.isView(x) && 'length' in x);
    return isList && Array.prototype.every.call(x, (e) => element(e));
  });

/** Two values of one kind. */
export const pair = (element: Check): Check =>
  check(
    `two values, each ${element.expected}`,
    (x) => Array.isArray(x) && x.length === 2 && x.every(element),
  );

/** Sizes of a sample: at most 8 of them. */
export const sizes: Check = check(
  'an array of sizes, whole numbers from 1',
  (x) => Array.isArray(x) && x.length <= 8 && x.every((n) => Number.isSafeInteger(n) && n >= 1),
);

export const either = (...checks: readonly Check[]): Check =>
  check(checks.map((c) => c.expected).join(', or '), (x) => checks.some((c) => c(x)));

/** The same, but it must be given. */
export const required = (of: Check): Check =>
  Object.assign((value: unknown) => of(value), { expected: of.expected, required: true as const });
