import { callback, check, flag, listOf, object, required } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import { type Checks, optionsOf } from '../core/options.ts';
import type { GroupRule, Groups, Match, Optimizer } from './optimizer.ts';

/** An optimizer's options for some parameters; what one does not say is as for the others. */
export type Group<O extends object> = GroupRule & O;

/** What every optimizer takes beside its options. */
export interface Grouped<O extends object> {
  /**
   * Options of their own for some parameters. All entries that match a parameter hold for it, later ones before earlier ones:
   * `[{ match: /bias$/, weightDecay: 0 }, { match: 'head', lr: 1e-2 }]` gives head.bias both.
   */
  readonly groups?: readonly Group<O>[];
}

const match = check(
  "a parameter's or layer's name, an expression such as /bias$/, or a function",
  (x) => (typeof x === 'string' && x !== '') || x instanceof RegExp || callback(x),
);
const entries = listOf(object, 'an array of groups such as { match: /bias$/, weightDecay: 0 }');

/** Whether a parameter is meant. */
export function matches(match: Match, name: string): boolean {
  if (typeof match === 'function') return Boolean(match(name));
  // Looks from the beginning whatever the expression's flags are.
  if (match instanceof RegExp) return name.search(match) >= 0;
  return name === match || name.startsWith(match.endsWith('.') ? match : `${match}.`);
}

/** An optimizer by name from what its options say, with groups that each have options of their own. */
export function optimizerOf<O extends object>(
  name: string,
  checks: Checks<O>,
  make: (options: O) => Optimizer,
): (options?: O & Grouped<O>) => Optimizer {
  const checkAll = optionsOf<O & Grouped<O>>(name, { ...checks, groups: entries } as Checks<O & Grouped<O>>);
  const checkGroup = optionsOf<Group<O>>(`a group of ${name}`, {
    ...checks,
    match: required(match),
    frozen: flag,
  } as Checks<Group<O>>);
  return (given) => {
    const { groups = [], ...own } = checkAll(given);
    const base = make(own as unknown as O);
    if (groups.length === 0) return base;
    const rules = groups.map(checkGroup);
    const made = new Map<string, Optimizer | undefined>();
    const withRules = (which: readonly Group<O>[]): Optimizer | undefined => {
      const said = which.map(({ match, ...options }) =>
        Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
      );
      const { frozen = false, ...options } = Object.assign({}, own, ...said) as O & { frozen?: boolean };
      return frozen ? undefined : make(options as unknown as O);
    };
    // What is wrong in one is said now.
    for (const rule of rules) withRules([rule]);
    return {
      ...base,
      groups: {
        rules,
        of(name, others) {
          const which = rules.filter((rule) => matches(rule.match, name));
          if (which.length === 0) return others;
          const key = which.map((rule) => rules.indexOf(rule)).join();
          if (!made.has(key)) made.set(key, withRules(which));
          return made.get(key);
        },
      },
    };
  };
}

/** Throws 'invalid_argument' where an entry matches none of a model's parameters. */
export function expectMatches({ rules }: Groups, names: readonly string[]): void {
  for (const { match } of rules)
    if (!names.some((name) => matches(match, name)))
      fail(
        'invalid_argument',
        `no parameter matches ${typeof match === 'function' ? 'the function of' : typeof match === 'string' ? `'${match}' in` : `${match} in`} ` +
          `an optimizer's groups; there are ${names.join(', ')}`,
      );
}
