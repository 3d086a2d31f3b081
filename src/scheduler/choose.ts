import type { Backend } from '../backend/backend.ts';
import { fail } from '../core/errors.ts';

export type BackendName = 'wasm' | 'webgpu' | 'reference';

/** What looking for a backend found. */
export type Probe =
  | { readonly available: true; readonly description: string; readonly software?: boolean }
  | { readonly available: false; readonly reason: string };

/** A backend that may or may not be there. */
export interface Provider {
  readonly name: BackendName;
  /** Looks without taking anything; quick. */
  probe(): Promise<Probe>;
  create(): Promise<Backend>;
}

/** One backend and what became of it, for people. */
export interface Finding {
  readonly name: BackendName;
  readonly available: boolean;
  readonly chosen: boolean;
  /** What it is, or why it is not there; and why it was chosen or passed over. */
  readonly text: string;
}

export interface Choice {
  readonly provider: Provider;
  readonly findings: readonly Finding[];
}

/** In this order 'auto' takes the first that is there; the reference is there for checking, never for work. */
const AUTO_ORDER: readonly BackendName[] = ['wasm', 'webgpu'];

/** Probes every provider and picks one. Throws 'unavailable' with all reasons where none can serve. */
export async function choose(providers: readonly Provider[], wish: BackendName | 'auto'): Promise<Choice> {
  if (wish !== 'auto' && !providers.some((p) => p.name === wish))
    fail(
      'invalid_argument',
      `unknown backend '${String(wish)}'; expected ${['auto', ...providers.map((p) => p.name)].map((n) => `'${n}'`).join(', ')}`,
    );
  const probes = await Promise.all(providers.map((p) => p.probe()));
  const candidates = providers.map((provider, i) => ({ provider, probe: probes[i] }));
  const chosen =
    wish === 'auto'
      ? AUTO_ORDER.map((name) => candidates.find((c) => c.provider.name === name)).find(
          (c) => c?.probe.available && !c.probe.software,
        )
      : candidates.find((c) => c.provider.name === wish && c.probe.available);
  const findings = candidates.map(({ provider, probe }) => ({
    name: provider.name,
    available: probe.available,
    chosen: provider === chosen?.provider,
    text: probe.available
      ? `${probe.description}; ${verdict(provider, probe, chosen?.provider, wish)}`
      : `not available: ${probe.reason}`,
  }));
  if (chosen) return { provider: chosen.provider, findings };
  const reasons = findings
    .filter((f) => wish === 'auto' || f.name === wish)
    .map((f) => `${f.name}: ${f.text}`);
  return fail('unavailable', `no backend can be used here. ${reasons.join('. ')}`);
}

function verdict(
  provider: Provider,
  probe: Probe & { available: true },
  chosen: Provider | undefined,
  wish: string,
): string {
  if (provider === chosen)
    return wish === 'auto'
      ? "chosen by 'auto': no call or transfer overhead for small networks"
      : 'chosen: asked for';
  if (wish !== 'auto') return `not chosen: '${wish}' was asked for`;
  if (provider.name === 'reference')
    return "never chosen by 'auto': it is the oracle that the others are checked against";
  if (probe.software) return "never chosen by 'auto': a GPU simulated on the CPU is slower than WebAssembly";
  return `not chosen: '${chosen?.name}' comes first for small networks; ask with backend: '${provider.name}'`;
}
