import type { Backend } from '../../backend/backend.ts';
import { BiphaseError, fail } from '../../core/errors.ts';
import { within } from '../../core/within.ts';
import { guarded, isMistake } from './guarded.ts';
import type { BackendName, Probe, Provider } from './provider.ts';

export type { BackendName, Probe, Provider } from './provider.ts';

/** One backend and what became of it, for people. */
export interface Finding {
  /** The backend. */
  readonly name: BackendName;
  /** Whether it can be used here. */
  readonly available: boolean;
  /** Whether the engine runs on it. */
  readonly chosen: boolean;
  /** What it is, or why it is not there; and why it was chosen or passed over. */
  readonly text: string;
}

export interface Choice {
  readonly provider: Provider;
  /** All there are, for when the chosen one is lost. */
  readonly providers?: readonly Provider[];
  /** Nobody named a backend, so each plan may go where it is fastest. */
  readonly free?: boolean;
  readonly findings: readonly Finding[];
}

/** In this order 'auto' takes the first that is there; the reference is there for checking, never for work. */
export const AUTO_ORDER: readonly BackendName[] = ['wasm', 'webgpu'];

/** In ms: so long is waited for a backend that would not be taken anyway. */
const GLANCE = 2000;

interface Candidate {
  readonly provider: Provider;
  readonly probe: Promise<Probe>;
}

/**
 * Looks for what was asked for, or with 'auto' for everything, and makes the first that can be had. Whatever a runtime
 * throws is a finding. Throws BiphaseError with all reasons where there is none: 'out_of_memory' if that is one, else
 * 'unavailable'.
 */
export async function choose(
  given: readonly Provider[],
  wish: BackendName | 'auto',
): Promise<Choice & { readonly backend: Backend }> {
  const providers = given.map(guarded);
  const asked = wish === 'auto' ? providers : providers.filter((p) => p.name === wish);
  if (asked.length === 0) {
    const names = ['auto', ...providers.map((p) => p.name)].map((n) => `'${n}'`).join(', ');
    fail('invalid_argument', `unknown backend '${String(wish)}'; expected one of ${names}`);
  }
  const candidates = asked.map((provider): Candidate => ({ provider, probe: provider.probe() }));
  // A mistake of the caller's is thrown where its backend's turn comes, which may be never.
  for (const { probe } of candidates) probe.catch(() => {});
  const refusals = new Map<Provider, BiphaseError>();
  const order = wish === 'auto' ? AUTO_ORDER : [wish];
  const chosen = await firstOf(
    order.flatMap((name) => candidates.find((c) => c.provider.name === name) ?? []),
    wish,
    refusals,
  );
  const findings = await Promise.all(
    candidates.map(async (candidate): Promise<Finding> => {
      const { provider } = candidate;
      const { name } = provider;
      if (provider === chosen?.provider) return inUse(name, chosen.backend, wish);
      const refusal = refusals.get(provider);
      const probe = refusal
        ? { available: false as const, reason: refusal.message }
        : await glance(candidate);
      const text = probe.available
        ? `${probe.description}; ${verdict(name, probe, chosen?.provider)}`
        : `not available: ${probe.reason}`;
      return { name, available: probe.available, chosen: false, text };
    }),
  );
  if (chosen) return { ...chosen, providers, free: wish === 'auto', findings };
  const code = [...refusals.values()].some((e) => e.code === 'out_of_memory')
    ? 'out_of_memory'
    : 'unavailable';
  const reasons = findings.map((f) => `${f.name}: ${f.text}`);
  return fail(code, `no backend can be used here. ${reasons.join('. ')}`);
}

/** Makes the first that is there and can be made; notes why others can't. */
async function firstOf(
  candidates: readonly Candidate[],
  wish: string,
  refusals: Map<Provider, BiphaseError>,
): Promise<{ provider: Provider; backend: Backend } | undefined> {
  for (const { provider, probe: looked } of candidates) {
    const probe = await looked;
    if (!probe.available || (wish === 'auto' && probe.software)) continue;
    try {
      return { provider, backend: await provider.create() };
    } catch (error) {
      if (!(error instanceof BiphaseError) || isMistake(error)) throw error;
      refusals.set(provider, error);
    }
  }
  return undefined;
}

/** What is known of a backend that is not taken: a look that takes long is not waited for. */
async function glance({ provider, probe }: Candidate): Promise<Probe> {
  try {
    return await within(GLANCE, provider.name, probe);
  } catch (error) {
    return { available: false, reason: (error as Error).message };
  }
}

/** The backend that is used: its text is what it says of itself now, since threads may be refused later. */
const inUse = (name: BackendName, backend: Backend, wish: string): Finding => ({
  ...{ name, available: true, chosen: true },
  get text() {
    const why = wish === 'auto' ? "chosen by 'auto': small networks need no GPU" : 'chosen: it was asked for';
    return `${backend.description}; ${why}`;
  },
});

/** Why a backend that is there was passed over. */
function verdict(
  name: BackendName,
  probe: Probe & { available: true },
  chosen: Provider | undefined,
): string {
  if (name === 'reference') return "never chosen by 'auto': it is there to check the others against";
  if (probe.software) return "never chosen by 'auto': a GPU simulated on the CPU is slower than WebAssembly";
  return `not chosen: '${chosen?.name}' comes first for small networks; ask with backend: '${name}'`;
}
