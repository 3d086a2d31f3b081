/** Where Linux shows the energy counters of processor packages (RAPL). */
const FOLDER = '/sys/class/powercap';
/** Counters start again at zero after some 260 kJ: they are looked at at least this often by who uses them, in ms. */
const LOOK_MS = 10_000;

interface Package {
  readonly path: string;
  readonly range: number;
  last: number;
}

/**
 * What the processor's packages have taken since this was made, by their own counters (Linux, RAPL): the whole machine's work,
 * not this process's alone. Absent where the system shows no counter or this user may not read it; never guessed.
 */
export class EnergyMeter {
  private readonly packages: readonly Package[];
  private readonly read: (path: string) => number;
  private microjoules = 0;
  private looked = performance.now();

  private constructor(packages: readonly Package[], read: (path: string) => number) {
    this.packages = packages;
    this.read = read;
  }

  static open(folder = FOLDER): EnergyMeter | undefined {
    const fs = typeof process === 'undefined' ? undefined : process.getBuiltinModule?.('node:fs');
    if (!fs) return undefined;
    const read = (path: string) => Number(fs.readFileSync(path, 'utf8'));
    try {
      // Domains of a package (cores, memory) have one more colon, and are in the package's count.
      const names = fs.readdirSync(folder).filter((name) => /^intel-rapl:\d+$/.test(name));
      const packages = names.map((name) => ({
        path: `${folder}/${name}/energy_uj`,
        range: read(`${folder}/${name}/max_energy_range_uj`),
        last: read(`${folder}/${name}/energy_uj`),
      }));
      const later = (path: string) => {
        try {
          return read(path);
        } catch {
          return Number.NaN;
        }
      };
      return packages.length ? new EnergyMeter(packages, later) : undefined;
    } catch {
      return undefined;
    }
  }

  /** To be called now and then, or counts of a whole turn of the counter are lost. Cheap, and never throws. */
  look(): void {
    if (performance.now() - this.looked > LOOK_MS) this.joules();
  }

  /** So far; undefined from when a counter could no longer be read, since what it counted then is not known. */
  joules(): number | undefined {
    this.looked = performance.now();
    for (const p of this.packages) {
      const now = this.read(p.path);
      if (Number.isNaN(now)) this.microjoules = Number.NaN;
      this.microjoules += now >= p.last ? now - p.last : now + p.range - p.last;
      p.last = now;
    }
    return Number.isNaN(this.microjoules) ? undefined : this.microjoules / 1e6;
  }
}
