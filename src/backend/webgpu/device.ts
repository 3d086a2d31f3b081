import { fail } from '../../core/errors.ts';
import { ENGINE_DISPOSED } from '../program.ts';

/** What is known of an adapter before a device is made. */
export interface AdapterDescription {
  readonly description: string;
  /** A GPU simulated on the CPU: correct, and slow. */
  readonly software: boolean;
}

/** Taken where there: candidates are timed by the device's own clock, and reductions go through subgroups. */
const WANTED: readonly GPUFeatureName[] = ['timestamp-query', 'subgroups'];

const SOFTWARE = /swiftshader|llvmpipe|lavapipe|basic render|softpipe|\bcpu\b/i;

/** Older browsers say nothing of an adapter. */
function describe({ info }: { readonly info?: GPUAdapterInfo }): AdapterDescription {
  const name =
    [info?.vendor, info?.architecture, info?.device, info?.description].filter(Boolean).join(' ') ||
    'unnamed GPU';
  const software = SOFTWARE.test(name) || info?.isFallbackAdapter === true;
  return { description: `WebGPU on ${name}${software ? ' (a GPU simulated on the CPU)' : ''}`, software };
}

async function adapterOf(gpu: GPU): Promise<GPUAdapter> {
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  return adapter ?? fail('unavailable', 'WebGPU finds no adapter here; is there a GPU, and a driver for it?');
}

/** Looks at the adapter without taking a device. Throws 'unavailable' where there is none. */
export async function describeAdapter(gpu: GPU): Promise<AdapterDescription> {
  return describe(await adapterOf(gpu));
}

/** A device with all the memory its adapter allows, and what it runs on. */
export async function requestDevice(gpu: GPU): Promise<{ device: GPUDevice; adapter: AdapterDescription }> {
  const adapter = await adapterOf(gpu);
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  try {
    const device = await adapter.requestDevice({
      label: 'biphase',
      requiredLimits: { maxBufferSize, maxStorageBufferBindingSize },
      requiredFeatures: WANTED.filter((feature) => adapter.features.has(feature)),
    });
    return { device, adapter: describe(adapter) };
  } catch (cause) {
    return fail('unavailable', `the GPU gave no device: ${(cause as Error).message}`, { cause });
  }
}

/** What is known of a device that somebody else made. */
export function describeDevice(device: GPUDevice): AdapterDescription {
  const info = device.adapterInfo;
  return info ? describe({ info }) : { description: "WebGPU on the caller's device", software: false };
}

/** Remembers what went wrong with a device outside any call, and throws it at the next one. */
export class DeviceHealth {
  private lost: string | undefined;
  private uncaptured: string | undefined;
  private closed = false;
  private readonly unlisten: () => void;
  /** Told when the device is lost. Only who waits is here: `device.lost` itself would keep everybody who ever waited. */
  private readonly waiting = new Set<() => void>();

  constructor(device: GPUDevice) {
    void device.lost.then(({ reason, message }) => {
      this.lost = `the GPU device was lost (${reason || 'unknown reason'}): ${message || 'no message'}`;
      for (const tell of this.waiting) tell();
    });
    const listen = (event: Event) => {
      this.uncaptured ??= (event as GPUUncapturedErrorEvent).error.message;
    };
    device.addEventListener('uncapturederror', listen);
    this.unlisten = () => device.removeEventListener('uncapturederror', listen);
  }

  /** From now on calls fail with 'disposed', whatever becomes of the device. */
  close(): void {
    this.closed = true;
    this.unlisten();
  }

  /** Throws what is known to be wrong. `what` was asked for: the plan, in words. */
  check(what: string): void {
    if (this.closed) fail('disposed', ENGINE_DISPOSED);
    if (this.lost !== undefined)
      fail(
        'device_lost',
        `${what}: ${this.lost}. Make a new engine; weights that were frozen or read before are intact`,
      );
    if (this.uncaptured !== undefined) {
      const message = this.uncaptured;
      this.uncaptured = undefined;
      fail('internal', `${what}: WebGPU reported an error in this call or one before it: ${message}`);
    }
  }

  /** The promise's value, or 'device_lost' if the device goes away first. */
  async during<T>(what: string, work: Promise<T>): Promise<T> {
    try {
      return await this.orLost(work);
    } catch (error) {
      // Work on a lost device also fails by itself, sometimes before `lost` is told.
      await this.orLost(new Promise((resolve) => setTimeout(resolve, 10))).catch(() => undefined);
      this.check(what);
      throw error;
    }
  }

  /** The promise's value; rejects as soon as the device is lost. */
  private orLost<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const tell = () => reject(new Error(this.lost));
      if (this.lost !== undefined) tell();
      this.waiting.add(tell);
      work.then(resolve, reject).finally(() => this.waiting.delete(tell));
    });
  }
}
