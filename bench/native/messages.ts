import type { Readable, Writable } from 'node:stream';
import { allocate, type DType, type TypedArray } from '../../src/core/dtype.ts';
import { sizeOf } from '../../src/core/shape.ts';

export interface Message {
  // biome-ignore lint/suspicious/noExplicitAny: whoever asks knows what is answered
  readonly header: Record<string, any>;
  readonly arrays: TypedArray[];
}

interface Spec {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** Messages through a pair of pipes, as serve.py describes them. One question at a time. */
export class Messages {
  private readonly output: Writable;
  private received = Buffer.alloc(0);
  private waiting: { resolve(m: Message): void; reject(e: Error): void } | undefined;
  private ended: Error | undefined;

  constructor(output: Writable, input: Readable) {
    this.output = output;
    // A process that is gone is told by its exit.
    output.on('error', () => {});
    input.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.deliver();
    });
  }

  send(header: object, arrays: readonly (Spec & { data: TypedArray })[] = []): void {
    const specs = arrays.map(({ dtype, shape }) => ({ dtype, shape }));
    const text = Buffer.from(JSON.stringify({ ...header, arrays: specs }));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(text.length);
    this.output.write(Buffer.concat([length, text]));
    for (const { data } of arrays)
      this.output.write(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  }

  receive(): Promise<Message> {
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      this.deliver();
      if (this.ended && this.waiting) reject(this.ended);
    });
  }

  /** Nothing comes any more. */
  end(reason: Error): void {
    this.ended ??= reason;
    this.waiting?.reject(this.ended);
    this.waiting = undefined;
  }

  private deliver(): void {
    const message = this.waiting && this.take();
    if (!message) return;
    const { resolve } = this.waiting!;
    this.waiting = undefined;
    resolve(message);
  }

  /** The first message, if all of it is here. */
  private take(): Message | undefined {
    if (this.received.length < 4) return undefined;
    let at = 4 + this.received.readUInt32LE(0);
    if (this.received.length < at) return undefined;
    const { arrays: specs = [], ...header } = JSON.parse(this.received.toString('utf8', 4, at));
    const arrays = (specs as Spec[]).map(({ dtype, shape }) => allocate(dtype, sizeOf(shape)));
    const total = arrays.reduce((sum, a) => sum + a.byteLength, at);
    if (this.received.length < total) return undefined;
    for (const array of arrays) {
      new Uint8Array(array.buffer).set(this.received.subarray(at, at + array.byteLength));
      at += array.byteLength;
    }
    this.received = this.received.subarray(at);
    return { header, arrays };
  }
}
