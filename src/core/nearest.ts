/** Letters and digits alone, in lower case: 'weight_decay' and 'weightDecay' are the same word. */
const bare = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '');

/** 'learningRate' and 'learning_rate' are 'lr' to people who write abbreviations. */
const initials = (name: string): string =>
  (name.replace(/([a-z0-9])([A-Z])/g, '$1 $2').match(/[A-Za-z0-9]+/g) ?? [])
    .map((w) => w[0].toLowerCase())
    .join('');

/** Letters to insert, leave out, replace or swap with their neighbour to make one word the other (Damerau 1964). */
function edits(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    rows[i] = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      rows[i][j] = Math.min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        rows[i][j] = Math.min(rows[i][j], rows[i - 2][j - 2] + 1);
    }
  }
  return rows[a.length][b.length];
}

/** How far two names are apart: 0 for one word in another spelling, below 1 where one may be meant for the other. */
function distance(given: string, known: string): number {
  const [a, b] = [bare(given), bare(known)];
  if (a === b) return 0;
  if (initials(given) === b || a === initials(known)) return 0.1;
  const [shorter, longer] = a.length < b.length ? [a, b] : [b, a];
  if (shorter.length > 1 && longer.includes(shorter)) return 0.5 + 0.1 * (1 - shorter.length / longer.length);
  return edits(a, b) / Math.max(2, longer.length * 0.4 + 1);
}

/** The known name that was most likely meant, or undefined where none is near. */
export function nearest(given: string, known: readonly string[]): string | undefined {
  // Longer names are nobody's typing error, and cost time.
  if (given.length > 64) return undefined;
  const rated = known.map((name) => ({ name, far: distance(given, name) })).sort((a, b) => a.far - b.far);
  return rated.length > 0 && rated[0].far < 1 ? rated[0].name : undefined;
}

/** "; did you mean 'batchSize'? Known: batchSize, epochs", for messages. */
export function meant(given: string, known: readonly string[]): string {
  const near = nearest(given, known);
  return `${near ? `; did you mean '${near}'?` : '.'} Known: ${known.join(', ') || 'none'}`;
}
