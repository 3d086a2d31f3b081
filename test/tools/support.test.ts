import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { supportTable } from '../../tools/docs/support-table.ts';

it('docs/SUPPORT.md says what the tables say (npm run support writes it)', () => {
  expect(readFileSync(new URL('../../docs/SUPPORT.md', import.meta.url), 'utf8')).toBe(supportTable());
});
