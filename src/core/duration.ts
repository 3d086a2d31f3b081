/** What a unit of time is in milliseconds, by what stands behind the number. */
const units = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000 } as const;
type Unit = keyof typeof units;

/**
 * A duration for people: in the largest of these units that it has one of, or in the smallest, with as many decimals as each is
 * given. Units go from small to large.
 */
export function duration(
  ms: number,
  decimals: Partial<Record<Unit, number>> = { us: 1, ms: 1, s: 1 },
): string {
  const names = Object.keys(decimals) as Unit[];
  const unit = names.findLast((name) => ms >= units[name]) ?? names[0];
  return `${(ms / units[unit]).toFixed(decimals[unit])} ${unit}`;
}
